#include "mover/account_view.h"

#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include <fmt/core.h>

#include "base/fd.h"

namespace godwit::mover {

namespace {

// sshd wants this account for its unprivileged half; its number only has to differ from the login's.
constexpr unsigned kSshdId = 65533;

bool hostShowsView() {
  std::error_code error;
  return std::filesystem::read_symlink("/etc/passwd", error) == std::filesystem::path(kViewDirectory) / "passwd";
}

std::string nssWrapper() {
  glob_t found{};
  std::string path;
  for (const char* pattern :
       {"/usr/lib/*/libnss_wrapper.so", "/usr/lib64/libnss_wrapper.so", "/usr/lib/libnss_wrapper.so"}) {
    if (::glob(pattern, 0, nullptr, &found) == 0 && found.gl_pathc > 0) path = found.gl_pathv[0];
    ::globfree(&found);
    if (!path.empty()) break;
  }
  return path;
}

std::vector<std::string> wrapped(const std::string& library, const std::string& passwd, const std::string& group) {
  return {"LD_PRELOAD=" + library, "NSS_WRAPPER_PASSWD=" + passwd, "NSS_WRAPPER_GROUP=" + group};
}

Result<void> writeView(const std::string& directory, const std::string& user, const std::string& shell) {
  if (::mkdir(directory.c_str(), 0755) != 0 && errno != EEXIST) return errnoError(directory);
  const bool extra = user != "root" && user != "sshd";
  GODWIT_TRY(writeFileAtomic(directory + "/passwd", passwdText(user, ::geteuid(), ::getegid(), shell), 0644));
  GODWIT_TRY(
      writeFileAtomic(directory + "/group", fmt::format("root:x:{}:\nsshd:x:{}:\n", ::getegid(), kSshdId), 0644));
  const std::string shadow = "root:*:19000:0:99999:7:::\nsshd:!:19000:0:99999:7:::\n";
  return writeFileAtomic(directory + "/shadow", shadow + (extra ? user + ":*:19000:0:99999:7:::\n" : ""), 0600);
}

}  // namespace

Result<void> checkUser(const std::string& user) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
  constexpr std::string_view kMore = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789.-";
  const bool fine = !user.empty() && user.size() <= 32 && kLetters.find(user[0]) != std::string_view::npos &&
                    user.find_first_not_of(kMore) == std::string::npos && user != "sshd";
  if (fine) return {};
  return Error{Errc::Invalid,
               "sshUser is not a login name: a letter, then letters, digits, '.', '_' or '-', at most 32, not sshd"};
}

static std::string rootLine(unsigned uid, unsigned gid, const std::string& shell) {
  return fmt::format("root:x:{}:{}:root:/tmp:{}\n", uid, gid, shell);
}

std::string passwdText(const std::string& user, unsigned uid, unsigned gid, const std::string& shell) {
  auto out = rootLine(uid, gid, shell);
  out += fmt::format("sshd:x:{}:{}:sshd:/run/sshd:/usr/sbin/nologin\n", kSshdId, kSshdId);
  if (user != "root" && user != "sshd") out += fmt::format("{}:x:{}:{}::/tmp:{}\n", user, uid, gid, shell);
  return out;
}

Result<AccountView> makeAccountView(const std::string& user, const std::string& shell, const std::string& privateDir) {
  GODWIT_TRY(checkUser(user));
  AccountView view{{}, false, privateDir + "/etc"};
  GODWIT_TRY(writeView(view.directory, user, shell));
  GODWIT_TRY(writeFileAtomic(view.directory + "/owners.passwd", rootLine(::geteuid(), ::getegid(), shell), 0644));
  GODWIT_TRY(writeFileAtomic(view.directory + "/owners.group", fmt::format("root:x:{}:\n", ::getegid()), 0644));
  if (hostShowsView()) {
    GODWIT_TRY(writeView(kViewDirectory, user, shell));
    return AccountView{{}, true, kViewDirectory};
  }
  const auto library = nssWrapper();
  if (library.empty()) return view;
  view.active = true;
  view.environment = wrapped(library, view.directory + "/passwd", view.directory + "/group");
  view.environment.push_back("NSS_WRAPPER_SHADOW=" + view.directory + "/shadow");
  return view;
}

std::vector<std::string> ownersEnvironment(const std::string& privateDir) {
  const auto library = nssWrapper();
  if (library.empty()) return {};
  return wrapped(library, privateDir + "/etc/owners.passwd", privateDir + "/etc/owners.group");
}

}  // namespace godwit::mover
