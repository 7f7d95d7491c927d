#include <csignal>
#include <memory>
#include <stdexcept>
#include <utility>

#include <windlass/file.h>

#include "runtime/line_file.h"

namespace windlass {
namespace {

/// Writes batches from the thread that it is given: disks have no other way of telling when they are done.
class FileClient final : public SyncClient {
 public:
  explicit FileClient(runtime::LineFileOptions options) : file_(std::move(options)) {}

  std::error_code connect(std::chrono::milliseconds) override {
    if (file_.path() == "-") return file_.open();  // the program knows what the end of its reader means to it
    // A reader that is gone is an error like others, and not the end of the process. The thread is the client's own.
    sigset_t broken_pipe;
    sigemptyset(&broken_pipe);
    sigaddset(&broken_pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
    return file_.open();
  }

  PublishResult publish(const Batch& batch) override {
    for (const std::string_view event : batch) file_.add(event);
    const auto [lines, error] = file_.flush();
    if (!error) return PublishResult::acked();
    return PublishResult::acked_first(static_cast<std::uint32_t>(lines), what(error));
  }

  void close() noexcept override { file_.close(); }

 private:
  /// The error, unless it would be taken for a refusal of events: none of them is at fault.
  static std::error_code what(std::error_code error) {
    return classify(error) == ErrorClass::permanent ? make_error_code(errc::connection_lost) : error;
  }

  runtime::LineFile file_;
};

}  // namespace

WorkerFactory file_workers(FileOptions options) {
  return [options = std::move(options)](runtime::Loop&) {
    if (options.path.empty()) throw std::invalid_argument("a file output needs the path of a file");
    Worker worker;
    worker.endpoint = options.path == "-" ? "standard output" : options.path;
    worker.client = std::make_unique<FileClient>(runtime::LineFileOptions{
        options.path, options.rotate_bytes, options.number_of_files, options.permissions, options.sync});
    worker.wait_retry = options.wait_retry;
    worker.max_wait_retry = options.max_wait_retry;
    std::vector<Worker> workers;
    workers.push_back(std::move(worker));
    return workers;
  };
}

}  // namespace windlass
