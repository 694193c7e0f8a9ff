// Typed reads of an object from outside: the first member of a wrong type is remembered with its path, and later reads
// go on without harm, so that a reader is a plain list of fields and the error is looked at once.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "api/meta.h"

namespace godwit::api {

class Fields {
 public:
  // `object` (an object) and `error` must outlive this. `path` names it in messages: "" or "spec.rsync".
  Fields(const Json& object, std::string path, std::optional<Error>& error)
      : object_(&object), path_(std::move(path)), error_(&error) {}

  const Json& json() const { return *object_; }

  // Absent and null give nullopt (or the empty value); so does a wrong type, which sets the error.
  std::optional<std::string> text(const char* key) const;
  std::optional<std::string> quantity(const char* key) const;  // text, or a number, as Kubernetes takes both
  std::optional<std::int64_t> integer(const char* key) const;
  bool flag(const char* key) const;
  std::optional<TimePoint> time(const char* key) const;
  std::optional<Duration> duration(const char* key) const;
  std::vector<std::string> textList(const char* key) const;
  std::optional<StringMap> textMap(const char* key) const;
  std::optional<Fields> object(const char* key) const;
  std::vector<Fields> objectList(const char* key) const;

 private:
  const Json* present(const char* key) const;
  std::string pathOf(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void fail(const std::string& path, const std::string& why) const;

  const Json* object_;
  std::string path_;
  std::optional<Error>* error_;
};

}  // namespace godwit::api
