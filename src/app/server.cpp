#include "app/server.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <cstdio>
#include <fmt/format.h>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <utility>

#include "app/output.h"
#include "net/tls.h"

namespace windlass::app {
namespace {

// That one connection takes before it is the next one's turn.
constexpr std::uint64_t turn = 4096;

}  // namespace

void raise_file_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Server::Server(boost::asio::io_context& context, Options options, Callbacks callbacks)
    : context_(context),
      options_(std::move(options)),
      callbacks_(std::move(callbacks)),
      turn_timer_(context),
      pace_(options_.rates, steady_now()) {}

void Server::listen(const ListenConfig& config) {
  net::Listener::Options options;
  options.at = config.at;
  options.max_connections = options_.max_connections;
  options.send_buffer = options_.send_buffer;
  if (config.tls) {
    net::TlsOptions tls = *config.tls;
    tls.on_change = [](bool used, const std::string& news) {
      spdlog::log(used ? spdlog::level::info : spdlog::level::warn, "{}", news);
    };
    options.tls = net::TlsContext::server(tls);
  }
  auto listener = std::make_unique<net::Listener>(
      context_, std::move(options),
      [this, config](std::unique_ptr<net::Stream> stream) { callbacks_.accepted(config, std::move(stream)); },
      [this](std::error_code, const std::string& detail) {
        spdlog::warn("{}", detail);
        callbacks_.failed();
      });
  fmt::print("listening on {}://{}\n", scheme_of(config.type, config.tls.has_value()),
             net::to_string(listener->local()));
  std::fflush(stdout);
  listeners_.push_back(std::move(listener));
}

std::shared_ptr<ServerConnection> Server::open(std::unique_ptr<net::Stream> stream,
                                               std::unique_ptr<Conversation> conversation) {
  auto connection = std::make_shared<ServerConnection>(context_, *this, std::move(stream), std::move(conversation));
  connections_.emplace(connection.get(), connection);
  connection->start();
  return connection;
}

void Server::stop_listening() {
  for (const auto& listener : listeners_) listener->close();
}

void Server::stop() {
  stop_listening();
  const base::Time now = steady_now();
  for (const auto& connection : connections()) connection->stop(now);
}

void Server::close() {
  stop_listening();
  for (const auto& connection : connections()) connection->close();
}

std::vector<std::shared_ptr<ServerConnection>> Server::connections() const {
  std::vector<std::shared_ptr<ServerConnection>> all;
  all.reserve(connections_.size());
  for (const auto& [key, connection] : connections_) all.push_back(connection);
  return all;
}

void Server::on_has_more(const std::shared_ptr<ServerConnection>& connection) {
  ready_.push_back(connection);
  plan_turns(steady_now());
}

void Server::on_gone(ServerConnection& connection) {
  const auto kept = connections_.extract(&connection);
  callbacks_.gone(connection);
}

void Server::plan_turns(base::Time now) {
  if (turns_planned_ || ready_.empty()) return;
  turns_planned_ = true;
  if (!pace_.limited()) {
    boost::asio::post(context_, [this] { take_turns(); });
    return;
  }
  turn_timer_.expires_after(std::max(base::Duration(0), pace_.next(now) - now));
  turn_timer_.async_wait([this](boost::system::error_code error) {
    if (!error) take_turns();
  });
}

/// Each connection once, and in the order in which they came, as far as the pace allows.
void Server::take_turns() {
  const base::Time now = steady_now();
  std::uint64_t allowance = pace_.allowance(now);
  for (std::size_t turns = ready_.size(); turns > 0 && allowance > 0; --turns) {
    const auto connection = std::move(ready_.front());
    ready_.pop_front();
    const std::uint64_t taken = connection->take(std::min(turn, allowance), now);
    pace_.spend(taken);
    if (pace_.limited()) allowance -= taken;
  }
  turns_planned_ = false;
  plan_turns(now);
}

}  // namespace windlass::app
