// The CustomResourceDefinitions, from one table of fields that the validation and the documents share.
#pragma once
#include <string>

#include "api/replication.h"

namespace godwit::api {

Json crd(Role role);             // the whole CustomResourceDefinition object
std::string crdYaml(Role role);  // as `godwit crds` prints it and deploy/crds holds it

}  // namespace godwit::api
