#include "lumberjack_peer.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <gtest/gtest.h>
#include <list>
#include <mutex>
#include <thread>
#include <utility>

#include "net/listener.h"
#include "net/stream.h"
#include "protocol/lumberjack_server.h"

namespace windlass {

class LumberjackPeer::Impl {
 public:
  explicit Impl(Options options)
      : script_(std::move(options.script)),
        listener_(
            context_, listening(options), [this](std::unique_ptr<net::Stream> stream) { accept(std::move(stream)); },
            [this](std::error_code, const std::string&) { refusals.add(); }),
        address_(net::to_string(listener_.local())),
        thread_([this] { context_.run(); }) {}
  ~Impl() {
    boost::asio::post(context_, [this] {
      listener_.close();
      sessions_.clear();
      guard_.reset();
      context_.stop();
    });
    thread_.join();
  }

  std::uint16_t port() const { return listener_.port(); }
  const std::string& address() const { return address_; }

  Events received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  std::vector<std::size_t> window_sizes() const {
    const std::lock_guard lock(mutex_);
    return window_sizes_;
  }

  void for_each(std::function<void(Connection&)> something) {
    boost::asio::post(context_, [this, something = std::move(something)] {
      for (auto session = sessions_.begin(); session != sessions_.end();) {
        Session& one = **session++;  // it may end meanwhile
        something(one);
        one.flush();
      }
    });
  }

  test::Count windows;
  test::Count connections;
  test::Count refusals;
  test::Count ends;

 private:
  class Session final : public Connection, private net::Stream::Handler {
   public:
    Session(Impl& peer, std::unique_ptr<net::Stream> stream) : peer_(peer), stream_(std::move(stream)) {
      stream_->start(*this);
    }

    void ack(std::uint32_t count) override { server_.ack(count); }
    void keep_alive() override { server_.keep_alive(); }
    void say(std::string_view bytes) override { server_.output().append(bytes); }
    void close() override { closing_ = true; }
    void reset() override { stream_->abort(); }

    void flush() {
      if (!stream_->is_open()) return peer_.end(*this);
      if (stream_->sending()) return;
      if (!server_.output().empty()) return stream_->send(server_.output());
      if (!closing_) return;
      stream_->close();
      peer_.end(*this);
    }

   private:
    void on_received(std::string_view bytes) override {
      using Kind = protocol::LumberjackServer::Event::Kind;
      server_.receive(bytes);
      while (const auto event = server_.poll()) {
        if (event->kind == Kind::event) {
          events_.emplace_back(event->payload);
        } else if (event->kind == Kind::window_complete) {
          ++windows;
          peer_.remember(events_);
          if (!closing_) peer_.script_(*this, events_);
          events_.clear();
        }
      }
      EXPECT_FALSE(server_.error()) << server_.error_detail();
      flush();
    }
    void on_sent() override { flush(); }
    void on_closed(std::error_code) override {
      peer_.ends.add();
      peer_.end(*this);
    }

    Impl& peer_;
    std::unique_ptr<net::Stream> stream_;
    protocol::LumberjackServer server_;
    Events events_;
    bool closing_ = false;
  };

  static net::Listener::Options listening(const Options& options) {
    net::Listener::Options result;
    result.at = {options.host, options.port};
    result.tls = options.tls;
    return result;
  }

  void accept(std::unique_ptr<net::Stream> stream) {
    sessions_.push_back(std::make_unique<Session>(*this, std::move(stream)));
    sessions_.back()->number = connections.value();
    connections.add();
  }
  void end(const Session& session) {
    // Not before the session's own call has returned.
    boost::asio::post(context_, [this, ended = &session] {
      sessions_.remove_if([&](const auto& one) { return one.get() == ended; });
    });
  }
  void remember(const Events& events) {
    {
      const std::lock_guard lock(mutex_);
      received_.insert(received_.end(), events.begin(), events.end());
      window_sizes_.push_back(events.size());
    }
    windows.add();
  }

  const Script script_;
  mutable std::mutex mutex_;
  Events received_;
  std::vector<std::size_t> window_sizes_;

  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  std::list<std::unique_ptr<Session>> sessions_;
  net::Listener listener_;
  const std::string address_;
  std::thread thread_;
};

LumberjackPeer::LumberjackPeer(Options options) : impl_(std::make_unique<Impl>(std::move(options))) {}
LumberjackPeer::~LumberjackPeer() = default;

std::uint16_t LumberjackPeer::port() const {
  return impl_->port();
}
std::string LumberjackPeer::address() const {
  return impl_->address();
}
LumberjackPeer::Events LumberjackPeer::received() const {
  return impl_->received();
}
std::vector<std::size_t> LumberjackPeer::window_sizes() const {
  return impl_->window_sizes();
}
const test::Count& LumberjackPeer::windows() const {
  return impl_->windows;
}
const test::Count& LumberjackPeer::connections() const {
  return impl_->connections;
}
const test::Count& LumberjackPeer::refusals() const {
  return impl_->refusals;
}
const test::Count& LumberjackPeer::ends() const {
  return impl_->ends;
}
void LumberjackPeer::close_connections() {
  impl_->for_each([](Connection& connection) { connection.close(); });
}
void LumberjackPeer::for_each(std::function<void(Connection&)> something) {
  impl_->for_each(std::move(something));
}

}  // namespace windlass
