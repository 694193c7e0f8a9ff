// Names of everything Godwit makes: contract section 2. Too long a name for its kind: prefix + CRC-32 of the owner's
// name.
#pragma once
#include <string>
#include <string_view>

#include "api/replication.h"

namespace godwit::api {

inline constexpr const char* kCreatedByLabel = "app.kubernetes.io/created-by";
inline constexpr const char* kCreatedByValue = "volsync";
inline constexpr const char* kCleanupLabel = "volsync.backube/cleanup";
inline constexpr const char* kDoNotDeleteLabel = "volsync.backube/do-not-delete";
inline constexpr const char* kSnapNameAnnotation = "volsync.backube/snapname";
inline constexpr const char* kAllowEmptyAnnotation = "godwit/allow-empty";
inline constexpr const char* kAcceptPathAndUserAnnotation = "godwit/accept-path-and-user";
inline constexpr const char* kDebugMoverAnnotation = "volsync.backube/enable-debug-mover";
inline constexpr const char* kPrivilegedMoversAnnotation = "volsync.backube/privileged-movers";  // on the namespace

std::string crc32(std::string_view text);  // IEEE 802.3, eight hex digits

std::string jobName(Role role, std::string_view owner);           // volsync-rsync-src-NAME, at most 63
std::string serviceName(Role role, std::string_view owner);       // likewise
std::string mainSecretName(Role role, std::string_view owner);    // volsync-rsync-src-main-NAME, at most 253
std::string sourceSecretName(Role role, std::string_view owner);  // volsync-rsync-dst-src-NAME
std::string destSecretName(Role role, std::string_view owner);    // volsync-rsync-dst-dest-NAME
std::string volumeName(Role role, std::string_view owner);        // volsync-NAME-src, volsync-NAME-dst
std::string accountName(Role role, std::string_view owner);       // volsync-src-NAME
std::string podNameLabel(Role role, std::string_view owner);      // app.kubernetes.io/name: src-NAME, at most 63
std::string imageName(std::string_view pvc, TimePoint at);        // PVC-YYYYMMDDHHMMSS in UTC

}  // namespace godwit::api
