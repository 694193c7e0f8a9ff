#include "base/result.h"

#include <cerrno>
#include <system_error>

namespace godwit {

bool Error::retryable() const {
  switch (code) {
    case Errc::Conflict:
    case Errc::Gone:
    case Errc::TooManyRequests:
    case Errc::Unavailable:
    case Errc::Timeout:
    case Errc::Io:
      return true;
    default:
      return false;
  }
}

const char* name(Errc code) {
  switch (code) {
    case Errc::Invalid:
      return "Invalid";
    case Errc::NotFound:
      return "NotFound";
    case Errc::AlreadyExists:
      return "AlreadyExists";
    case Errc::Conflict:
      return "Conflict";
    case Errc::Gone:
      return "Gone";
    case Errc::Forbidden:
      return "Forbidden";
    case Errc::Unauthorized:
      return "Unauthorized";
    case Errc::TooManyRequests:
      return "TooManyRequests";
    case Errc::Unavailable:
      return "Unavailable";
    case Errc::Timeout:
      return "Timeout";
    case Errc::Unsupported:
      return "Unsupported";
    case Errc::Io:
      return "Io";
    case Errc::Cancelled:
      return "Cancelled";
    case Errc::Internal:
      return "Internal";
  }
  return "Unknown";
}

static Errc codeOf(int err) {
  switch (err) {
    case ENOENT:
      return Errc::NotFound;
    case EEXIST:
      return Errc::AlreadyExists;
    case EACCES:
    case EPERM:
      return Errc::Forbidden;
    case ETIMEDOUT:
      return Errc::Timeout;
    default:
      return Errc::Io;
  }
}

Error errnoError(std::string what, int err) {
  return {codeOf(err), std::move(what) + ": " + std::generic_category().message(err)};
}

Error errnoError(std::string what) {
  return errnoError(std::move(what), errno);
}

}  // namespace godwit
