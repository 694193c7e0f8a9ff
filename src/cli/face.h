// The API server's door: TLS and a token on one port, for kubectl, `godwit status` and Prometheus.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "cli/data_dir.h"
#include "http/server.h"
#include "standalone/rest_api.h"

namespace godwit::cli {

struct FaceOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;
};

class Face {
 public:
  // Serves when it returns, and has written the kubeconfig. Authority and token are kept in the data directory, so that
  // a kubeconfig stays good across restarts. `metrics` renders /metrics. Io: the port is held; the message says by
  // whom.
  static Result<std::unique_ptr<Face>> open(standalone::Store& store, const DataDir& dir, const Clock& clock,
                                            const FaceOptions& options, std::function<std::string()> metrics);
  const std::string& url() const { return url_; }
  void stop() { server_->stop(); }

 private:
  Face(standalone::Store& store, const Clock& clock, std::string token, std::function<std::string()> metrics);
  void answer(const http::Request& request, http::ResponseWriter& out);

  standalone::RestApi rest_;
  std::function<std::string()> metrics_;
  std::string url_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace godwit::cli
