// Errors as values. A Result<T> holds either a T or an Error; nothing in Godwit throws across a room's door.
#pragma once
#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace godwit {

enum class Errc {
  Invalid,          // the caller's input is wrong (HTTP 400, 422); trying again cannot help
  NotFound,         // 404
  AlreadyExists,    // 409 on create
  Conflict,         // 409 on a write whose resourceVersion or precondition no longer holds
  Gone,             // 410: the resourceVersion asked for is compacted; list again
  Forbidden,        // 403
  Unauthorized,     // 401
  TooManyRequests,  // 429
  Unavailable,      // connection refused or broken, 5xx
  Timeout,          // a deadline passed
  Unsupported,      // the other side cannot do this (405, 415, missing kind)
  Io,               // a system call failed; the message carries strerror
  Cancelled,        // we were told to stop
  Internal,         // a bug; the message says where
};

struct Error {
  Errc code = Errc::Internal;
  std::string message;  // one line, for people: names the thing and, where there is one, the remedy

  // True where the same call may succeed later without anybody changing anything.
  bool retryable() const;
};

const char* name(Errc code);

// Io error "<what>: <strerror(err)>" (errno by default); ENOENT becomes NotFound, EEXIST AlreadyExists, EACCES/EPERM
// Forbidden.
Error errnoError(std::string what);
Error errnoError(std::string what, int err);

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : v_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : v_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }
  T& operator*() & { return std::get<0>(v_); }
  const T& operator*() const& { return std::get<0>(v_); }
  T&& operator*() && { return std::get<0>(std::move(v_)); }
  T* operator->() { return &std::get<0>(v_); }
  const T* operator->() const { return &std::get<0>(v_); }
  Error& error() { return std::get<1>(v_); }
  const Error& error() const { return std::get<1>(v_); }
  bool is(Errc code) const { return !ok() && error().code == code; }

 private:
  std::variant<T, Error> v_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)), ok_(false) {}
  bool ok() const { return ok_; }
  explicit operator bool() const { return ok_; }
  Error& error() { return error_; }
  const Error& error() const { return error_; }
  bool is(Errc code) const { return !ok_ && error_.code == code; }

 private:
  Error error_;
  bool ok_ = true;
};

// GODWIT_TRY(expr): returns expr's error from the enclosing function.
// GODWIT_ASSIGN(decl, expr): the same, else binds decl to the value.
#define GODWIT_CAT2(a, b) a##b
#define GODWIT_CAT(a, b) GODWIT_CAT2(a, b)
#define GODWIT_TRY(expr)                              \
  do {                                                \
    auto tried = (expr);                              \
    if (!tried.ok()) return std::move(tried.error()); \
  } while (0)
#define GODWIT_ASSIGN_AS(tmp, decl, expr)       \
  auto tmp = (expr);                            \
  if (!tmp.ok()) return std::move(tmp.error()); \
  decl = *std::move(tmp)
#define GODWIT_ASSIGN(decl, expr) GODWIT_ASSIGN_AS(GODWIT_CAT(assigned_, __COUNTER__), decl, expr)

}  // namespace godwit
