// Somebody who writes to a volume while it is replicated, and somebody who looks at every image that is published.
#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

namespace godwit::e2e {

// Appends 1, 2, 3... to DIR/numbers, one write each. After every hundredth it makes DIR/at-N, having called fdatasync
// like a database: between files, a snapshot keeps the order of what was synced, as a loss of power would.
class Writer {
 public:
  explicit Writer(std::string dir);
  void awaitMore(std::int64_t count);  // until so many further numbers are written: about 2 ms each
  std::int64_t end();                  // the last number

 private:
  void run(const std::stop_token& stop);

  const std::string dir_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::int64_t written_ = 0;
  std::jthread thread_;
};

struct Found {
  std::int64_t holds = 0;  // 1 to this
  std::string wrong;       // why it is no point in time of a Writer's directory; empty: it is one
};

// Reads what `link` points to now. An image that is replaced and removed while it is read is not judged.
Found inspect(const std::string& link);

// Inspects each image as soon as the link to it is switched.
class ImageWatch {
 public:
  explicit ImageWatch(std::string link);  // exists
  bool awaitHolds(std::int64_t number, std::chrono::seconds most);
  // All images so far; `wrong` is the first complaint.
  Found sum();
  int images();

 private:
  void run(const std::stop_token& stop);
  void look();

  const std::string link_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string seen_;
  Found sum_;
  int images_ = 0;
  std::jthread thread_;
};

}  // namespace godwit::e2e
