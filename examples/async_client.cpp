// A protocol of one's own with a client that calls back: here, events are appended to files, one file a client, by a
// thread that answers when the disk has them. A client of a network library is the same: it hands the work over,
// returns at once, and answers from wherever the library calls it back.
//
// usage: async_client FILE... < LINES
//
// Build it against an installed Windlass:
//   g++ -std=c++20 async_client.cpp $(pkg-config --cflags --libs windlass) -o async_client

#include <cerrno>
#include <condition_variable>
#include <deque>
#include <fcntl.h>
#include <future>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <unistd.h>

#include <windlass/windlass.h>

namespace {

/// Does one thing after another in a thread of its own.
class Worker {
 public:
  ~Worker() {
    post([this] { stopped_ = true; });
    thread_.join();
  }
  template <class Task>
  void post(Task task) {
    const std::lock_guard lock(mutex_);
    tasks_.emplace_back(std::move(task));
    changed_.notify_one();
  }

 private:
  void run() {
    while (!stopped_) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [&] { return !tasks_.empty(); });
      std::packaged_task<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::packaged_task<void()>> tasks_;
  bool stopped_ = false;  // of the thread
  std::thread thread_{[this] { run(); }};
};

std::error_code last_error() {
  return {errno, std::system_category()};
}

class FileClient final : public windlass::AsyncClient {
 public:
  explicit FileClient(std::string path) : path_(std::move(path)) {}
  ~FileClient() override { FileClient::close(); }

  void connect(windlass::Link link, std::chrono::milliseconds) override {
    worker_.post([this, link] {
      file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
      if (file_ >= 0) {
        link.connected();
      } else {
        link.lost(last_error(), "cannot open " + path_);
      }
    });
  }

  void publish(windlass::Batch batch, windlass::Completion done) override {
    worker_.post([this, batch = std::move(batch), done = std::move(done)]() mutable {
      const std::error_code error = append(batch);
      if (error) {
        done.failed(error);
      } else {
        done.acked();
      }
    });
  }

  void close() noexcept override {
    worker_.post([this] {
      if (file_ >= 0) ::close(file_);
      file_ = -1;
    });
  }

 private:
  std::error_code append(const windlass::Batch& batch) {
    std::string lines;
    for (const std::string_view event : batch) lines.append(event).push_back('\n');
    for (std::size_t written = 0; written < lines.size();) {
      const ssize_t count = ::write(file_, lines.data() + written, lines.size() - written);
      if (count < 0) return last_error();
      written += static_cast<std::size_t>(count);
    }
    return ::fdatasync(file_) == 0 ? std::error_code() : last_error();
  }

  const std::string path_;
  int file_ = -1;  // of the worker's thread
  Worker worker_;
};

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::unique_ptr<windlass::AsyncClient>> clients;
  for (int i = 1; i < argc; ++i) clients.push_back(std::make_unique<FileClient>(argv[i]));
  using std::chrono::seconds;
  windlass::LoadBalancer balancer(windlass::async_clients(std::move(clients), seconds(1), seconds(60)));

  for (std::string line; std::getline(std::cin, line);) balancer.publish_event(line);

  const bool complete = balancer.drain(seconds(30));
  std::cout << balancer.statistics().ledger.acked << " lines delivered\n";
  return complete ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "async_client: " << error.what() << '\n';
  return 2;
}
