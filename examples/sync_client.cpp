// A protocol of one's own with a client that blocks: events as lines over TCP. The server answers each line, once it
// has dealt with it, by a line of its own.
//
// usage: sync_client HOST:PORT... < LINES
//
// Build it against an installed Windlass:
//   g++ -std=c++20 sync_client.cpp $(pkg-config --cflags --libs windlass) -o sync_client

#include <algorithm>
#include <cerrno>
#include <iostream>
#include <mutex>
#include <netdb.h>
#include <stdexcept>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

#include <windlass/windlass.h>

namespace {

std::error_code last_error() {
  return {errno, std::system_category()};
}

class LineClient final : public windlass::SyncClient {
 public:
  LineClient(std::string host, std::string port) : host_(std::move(host)), port_(std::move(port)) {}
  ~LineClient() override { close(); }

  std::error_code connect(std::chrono::milliseconds timeout) override {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (getaddrinfo(host_.c_str(), port_.c_str(), &hints, &found) != 0) return windlass::errc::connect_failed;
    std::error_code error = windlass::errc::connect_failed;
    for (const addrinfo* address = found; error && address; address = address->ai_next) {
      replace_socket(::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
      const timeval limit{timeout.count() / 1000, timeout.count() % 1000 * 1000};
      setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
      setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
      error = ::connect(socket_, address->ai_addr, address->ai_addrlen) == 0 ? std::error_code() : last_error();
    }
    freeaddrinfo(found);
    return error;
  }

  windlass::PublishResult publish(const windlass::Batch& batch) override {
    std::string lines;
    for (const std::string_view event : batch) lines.append(event).push_back('\n');
    for (std::size_t sent = 0; sent < lines.size();) {
      const ssize_t count = ::send(socket_, lines.data() + sent, lines.size() - sent, MSG_NOSIGNAL);
      if (count < 0) return windlass::PublishResult::failed(windlass::errc::connection_lost);
      sent += static_cast<std::size_t>(count);
    }
    std::size_t acked = 0;
    while (acked < batch.size()) {
      char answers[4096];
      const ssize_t count = ::recv(socket_, answers, sizeof answers, 0);
      // What was answered so far is done; the rest will be sent again.
      if (count <= 0)
        return windlass::PublishResult::acked_first(static_cast<std::uint32_t>(acked), windlass::errc::connection_lost);
      acked += static_cast<std::size_t>(std::count(answers, answers + count, '\n'));
    }
    return windlass::PublishResult::acked();
  }

  void close() noexcept override { replace_socket(-1); }

  // Comes from another thread, and makes connect, send and recv return.
  void interrupt() noexcept override {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::shutdown(socket_, SHUT_RDWR);
  }

 private:
  void replace_socket(int socket) noexcept {
    const std::lock_guard lock(mutex_);
    if (socket_ >= 0) ::close(socket_);
    socket_ = socket;
  }

  const std::string host_;
  const std::string port_;
  std::mutex mutex_;  // so that interrupt() finds the socket that it means
  int socket_ = -1;
};

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::unique_ptr<windlass::SyncClient>> clients;
  for (int i = 1; i < argc; ++i) {
    const std::string address = argv[i];
    const std::size_t colon = address.rfind(':');
    if (colon == std::string::npos) throw std::invalid_argument("expected HOST:PORT instead of " + address);
    clients.push_back(std::make_unique<LineClient>(address.substr(0, colon), address.substr(colon + 1)));
  }
  using std::chrono::seconds;
  windlass::LoadBalancer balancer(windlass::sync_clients(std::move(clients), seconds(1), seconds(60)));

  for (std::string line; std::getline(std::cin, line);) balancer.publish_event(line);

  const bool complete = balancer.drain(seconds(30));
  std::cout << balancer.statistics().ledger.acked << " lines delivered\n";
  return complete ? 0 : 1;
} catch (const std::exception& error) {
  std::cerr << "sync_client: " << error.what() << '\n';
  return 2;
}
