#include "mover/session.h"

#include <sys/stat.h>

#include <vector>

#include "mover/account_view.h"
#include "mover/control.h"
#include "mover/forced_command.h"
#include "mover/foreign_root.h"
#include "mover/temp_dir.h"

namespace godwit::mover {

Result<Session> openSession() {
  Session session;
  session.directory = environment(kSessionDirectory);
  session.id = environment(kSessionId, "0");
  if (session.directory.empty())
    return Error{Errc::Unsupported, "this is the login shell of `godwit mover destination`"};
  GODWIT_ASSIGN(session.data, readFile(session.directory + "/" + kSessionData, 4096));
  struct stat st {};
  session.block = ::stat(session.data.c_str(), &st) == 0 && !S_ISDIR(st.st_mode);
  GODWIT_ASSIGN(session.control, connectControl(session.directory + "/" + kSessionSocket));
  GODWIT_TRY(sendMessage(session.control.get(), "login " + session.id));
  return session;
}

std::optional<std::string> whyUnconfined(VolumeUse use, int abi) {
  if (abi == 0) return "no Landlock in this kernel";
  // It would refuse every hard link between two directories, and no transfer of such a volume would ever end well.
  if (abi < 2 && use == VolumeUse::WriteFiles)
    return "the Landlock of this kernel, older than 5.19, refuses hard links between directories";
  return std::nullopt;
}

Result<bool> confineToVolume(const Session& session, VolumeUse use, int abi) {
  if (const auto why = whyUnconfined(use, abi)) {
    GODWIT_TRY(
        sendMessage(session.control.get(), "note " + *why + ": a transfer is confined by its checked arguments alone"));
    return false;
  }
  using Access = LandlockRule::Access;
  std::vector<LandlockRule> rules = {{session.data, use == VolumeUse::Read ? Access::ReadOnly : Access::ReadWrite},
                                     {"/dev/null", Access::ReadWrite},
                                     {session.directory + "/etc"},
                                     {session.directory + "/" + kForeignRootLibrary},
                                     {kViewDirectory}};
  // Of /etc what a program needs to start and to name owners: a link in the volume can lead rsync's filter rules there.
  for (const char* path : {"/usr", "/bin", "/lib", "/lib64", "/dev/urandom", "/proc/self", "/etc/ld.so.cache",
                           "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload", "/etc/nsswitch.conf",
                           "/etc/passwd", "/etc/group", "/etc/localtime", "/etc/ssl/openssl.cnf"})
    rules.push_back({path});
  GODWIT_TRY(applyLandlock(rules));
  return true;
}

}  // namespace godwit::mover
