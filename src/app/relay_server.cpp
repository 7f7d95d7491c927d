#include "app/relay_server.h"

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <utility>

#include <windlass/error.h>

#include "app/server.h"

namespace windlass::app {
namespace {

// After the end, for clients to take their last answers.
constexpr base::Duration patience_at_end = std::chrono::seconds(6);
// Clients hear acknowledgements only, of a few bytes each: what many of them leave untaken stays small.
constexpr int send_buffer = 16 * 1024;
// While too much waits for room, it is looked after this time whether it still does.
constexpr base::Duration rest = std::chrono::milliseconds(50);

/// The signal of one publish.
struct Verdict {
  std::uint32_t client;
  std::uint32_t piece;
  Outcome outcome;
};

/// From the balancer's thread to the clients' one. Holds a verdict for each publish under way at most.
class Mailbox {
 public:
  /// True for the first one since take(): somebody is to be told that there is something.
  bool put(const Verdict& verdict) {
    const std::lock_guard lock(mutex_);
    verdicts_.push_back(verdict);
    return verdicts_.size() == 1;
  }
  /// Exchanges what has come for an empty vector.
  void take(std::vector<Verdict>& verdicts) {
    const std::lock_guard lock(mutex_);
    verdicts.swap(verdicts_);
  }

 private:
  std::mutex mutex_;
  std::vector<Verdict> verdicts_;
};

}  // namespace

class RelayServer::Impl final : public RelayIntake {
 public:
  Impl(LoadBalancer& balancer, Options options)
      : RelayIntake(options.limits),
        balancer_(balancer),
        receive_bytes_(options.receive_bytes),
        letters_lost_(options.letters_lost ? std::move(options.letters_lost) : [] { return std::uint64_t{0}; }),
        server_(context_, {options.max_clients, send_buffer, {}},
                {[this](const ListenConfig&, std::unique_ptr<net::Stream> stream) { on_accepted(std::move(stream)); },
                 [this] { ++counters.failed_accepts; }, [this](ServerConnection& connection) { on_gone(connection); }}),
        rest_timer_(context_),
        retry_timer_(context_),
        last_chance_(context_) {
    for (const ListenConfig& listen : options.listen) server_.listen(listen);
    thread_ = std::thread([this] { context_.run(); });
  }

  ~Impl() {
    if (!thread_.joinable()) return;
    boost::asio::post(context_, [this] { close(); });
    thread_.join();
  }

  void stop() {
    boost::asio::post(context_, [this] { server_.stop(); });
  }

  RelayCounters finish() {
    // After the last verdict, whose delivery was posted before.
    boost::asio::post(context_, [this] {
      server_.stop();
      finishing_ = true;
      end_if_idle();
      last_chance_.expires_after(patience_at_end);
      last_chance_.async_wait([this](boost::system::error_code error) {
        if (!error) close();
      });
    });
    thread_.join();
    return counters;
  }

 private:
  struct Client {
    std::shared_ptr<ServerConnection> connection;
    RelayConversation* conversation;
    bool waiting = false;  // in waiting_
    bool touched = false;  // by a verdict that is being delivered
  };

  void on_accepted(std::unique_ptr<net::Stream> stream) {
    ++counters.connections;
    while (clients_.contains(next_client_)) ++next_client_;
    const std::uint32_t number = next_client_++;
    auto conversation = std::make_unique<RelayConversation>(*this, number, steady_now());
    RelayConversation* const borrowed = conversation.get();
    auto connection = server_.open(std::move(stream), std::move(conversation));
    numbers_.emplace(connection.get(), number);
    clients_.emplace(number, Client{std::move(connection), borrowed});
  }

  void on_gone(ServerConnection& connection) {
    const auto found = numbers_.extract(&connection);
    if (!found.empty()) clients_.erase(found.mapped());
    end_if_idle();
  }

  void end_if_idle() {
    if (finishing_ && server_.idle()) close();
  }

  void close() {
    server_.close();
    last_chance_.cancel();
    context_.stop();
  }

  /// What acknowledgements to clients mean is decided here, and nowhere else: an event is done when its publish is
  /// signalled as done. The balancer signals once an endpoint has acknowledged; a queue that keeps events signals once
  /// it has them.
  std::error_code publish(EventBuffer&& events, std::uint32_t number, std::uint32_t piece) override {
    const auto client = clients_.find(number);
    std::error_code refusal = errc::queue_full;
    // Who waits already comes first, so that a large piece finds its room in the end.
    if (waiting_.empty() || waiting_.front() == number)
      refusal = balancer_.try_publish_events(
          std::move(events),
          [this, ticket = Ticket{number, piece}, lost_before = letters_lost_()](Outcome outcome) {
            // It may have been another client's letter; to have this one send again is the safe side.
            if (letters_lost_() != lost_before) outcome.dead_lettered = 0;
            settle(ticket, outcome);
          },
          {.signal_at = PublishOptions::SignalAt::durable});
    if (refusal == errc::queue_full && client != clients_.end() && !std::exchange(client->second.waiting, true)) {
      waiting_.push_back(number);
      if (waiting_.size() == 1) try_again_later();
    }
    return refusal;
  }

  struct Ticket {
    std::uint32_t client;
    std::uint32_t piece;
  };

  /// On the balancer's thread.
  void settle(Ticket ticket, const Outcome& outcome) {
    if (mailbox_.put({ticket.client, ticket.piece, outcome})) boost::asio::post(context_, [this] { deliver(); });
  }

  void deliver() {
    mailbox_.take(verdicts_);
    const base::Time now = steady_now();
    std::vector<std::shared_ptr<ServerConnection>> touched;
    for (const Verdict& verdict : verdicts_) {
      const auto found = clients_.find(verdict.client);
      if (found == clients_.end()) continue;  // it went away; its events did not
      Client& client = found->second;
      client.conversation->settled(verdict.piece, verdict.outcome, now);
      if (!std::exchange(client.touched, true)) touched.push_back(client.connection);
    }
    verdicts_.clear();
    for (const auto& connection : touched) {
      const auto number = numbers_.find(connection.get());
      if (number != numbers_.end()) clients_.at(number->second).touched = false;
      connection->proceed(now);
    }
    give_room(now);
  }

  /// Room comes with the signals; but where a queue on disk is full, it comes long after them.
  void try_again_later() {
    retry_timer_.expires_after(rest);
    retry_timer_.async_wait([this](boost::system::error_code error) {
      if (error || waiting_.empty()) return;
      give_room(steady_now());
      if (!waiting_.empty()) try_again_later();
    });
  }

  /// Those who wait go on, as far as there is room.
  void give_room(base::Time now) {
    while (!waiting_.empty()) {
      const auto found = clients_.find(waiting_.front());
      if (found != clients_.end()) {
        const auto connection = found->second.connection;
        RelayConversation& conversation = *found->second.conversation;
        conversation.go_on(now);
        if (conversation.waiting_for_room()) break;
        found->second.waiting = false;
        waiting_.pop_front();
        connection->proceed(now);
      } else {
        waiting_.pop_front();
      }
    }
  }

  bool reading_rests() const override { return reading_rests_; }

  void rest_reading(bool rests) {
    reading_rests_ = rests;
    if (rests) look_again();
    const base::Time now = steady_now();
    for (const auto& connection : server_.connections()) {
      static_cast<RelayConversation&>(connection->conversation()).go_on(now);
      connection->proceed(now);
    }
  }

  void look_again() {
    rest_timer_.expires_after(rest);
    rest_timer_.async_wait([this](boost::system::error_code error) {
      if (error) return;
      if (!waiting_.empty() && memory_held > receive_bytes_ / 4 * 3) return look_again();
      rest_reading(false);
    });
  }

  void on_memory_held() override {
    if (memory_held <= receive_bytes_ || reading_rests_ || std::exchange(relief_planned_, true)) return;
    boost::asio::post(context_, [this] { relieve(); });
  }

  /// Too much was received. Where most of it waits for the peers to go on, those who hold the most are cut; else it
  /// waits for room, and is not to become more meanwhile.
  void relieve() {
    relief_planned_ = false;
    if (memory_held <= receive_bytes_) return;
    const base::Time now = steady_now();
    std::vector<Client*> holders;
    std::size_t incomplete = 0;
    for (auto& [number, client] : clients_) {
      if (!client.conversation->waits_for_peer()) continue;
      holders.push_back(&client);
      incomplete += client.conversation->memory();
    }
    std::sort(holders.begin(), holders.end(), [](const Client* one, const Client* other) {
      return one->conversation->memory() > other->conversation->memory();
    });
    std::vector<std::shared_ptr<ServerConnection>> cut;
    for (Client* const holder : holders) {
      if (incomplete <= receive_bytes_ / 2) break;
      incomplete -= holder->conversation->memory();
      holder->conversation->cut_for_memory();
      cut.push_back(holder->connection);
    }
    for (const auto& connection : cut) connection->proceed(now);
    if (memory_held > receive_bytes_ && !waiting_.empty()) rest_reading(true);
  }

  LoadBalancer& balancer_;
  const std::size_t receive_bytes_;
  const std::function<std::uint64_t()> letters_lost_;
  boost::asio::io_context context_{1};
  const boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ = make_work_guard(context_);
  Server server_;
  boost::asio::steady_timer rest_timer_;
  boost::asio::steady_timer retry_timer_;
  boost::asio::steady_timer last_chance_;
  std::unordered_map<std::uint32_t, Client> clients_;
  std::unordered_map<const ServerConnection*, std::uint32_t> numbers_;
  std::uint32_t next_client_ = 0;
  std::deque<std::uint32_t> waiting_;  // for room; each at most once, the gone ones too
  std::vector<Verdict> verdicts_;
  Mailbox mailbox_;
  bool reading_rests_ = false;
  bool relief_planned_ = false;
  bool finishing_ = false;
  std::thread thread_;
};

RelayServer::RelayServer(LoadBalancer& balancer, Options options)
    : impl_(std::make_unique<Impl>(balancer, std::move(options))) {}
RelayServer::~RelayServer() = default;

void RelayServer::stop() {
  impl_->stop();
}

RelayCounters RelayServer::finish() {
  return impl_->finish();
}

}  // namespace windlass::app
