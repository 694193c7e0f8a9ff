// Certificates made in this process: ECDSA P-256, PEM in and out.
#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace godwit::http {

struct Identity {
  std::string certificate;  // PEM; for a server the chain may follow
  std::string key;          // PEM, PKCS#8, no passphrase. Secret.
};

// A self-signed certificate authority, valid from an hour before `now` (clocks differ) for `validity`.
Result<Identity> makeAuthority(const std::string& commonName, TimePoint now, Duration validity);

struct CertificateRequest {
  std::string commonName;
  std::string organization;        // a client's group; empty: none
  std::vector<std::string> names;  // subject alternative names: DNS names and IP literals
  bool client = false;             // for client authentication, else for a server
};
// A fresh key and its certificate, signed by `authority`. Invalid: the authority's PEM is broken or does not fit.
Result<Identity> issue(const Identity& authority, const CertificateRequest& request, TimePoint now, Duration validity);

// When the first certificate of a PEM text expires. Invalid when there is none.
Result<TimePoint> expiry(std::string_view certificate);

}  // namespace godwit::http
