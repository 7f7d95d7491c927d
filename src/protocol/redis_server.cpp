#include "protocol/redis_server.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"
#include "wire/resp.h"

namespace windlass::protocol {
namespace {

using wire::resp::Token;

constexpr std::size_t longest_name = 64;

std::string upper(std::string_view text) {
  std::string result(text);
  std::ranges::transform(result, result.begin(),
                         [](char byte) { return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 32) : byte; });
  return result;
}

}  // namespace

RedisServer::RedisServer(Limits limits)
    : WindowedServer(wire::resp::Decoder(limits.decoder), limits.max_pending_windows) {}

std::optional<RedisServer::Event> RedisServer::decode() {
  while (!error() && !quit_) {
    if (std::exchange(window_ended_, false)) return Event{Event::Kind::window_complete, std::exchange(events_, 0u), {}};
    if (command_ == RedisCommand::none && !may_begin_window()) break;
    const auto token = decoder_.next();
    if (!token) {
      starve();
      break;
    }
    if (auto event = on_argument(*token)) return event;
  }
  return std::nullopt;
}

/// Takes what a command is made of, bit by bit.
std::optional<RedisServer::Event> RedisServer::on_argument(const Token& token) {
  if (arguments_ == 0) {
    if (token.kind != Token::Kind::array) {
      fail("a value that is no array; a command was expected");
    } else {
      arguments_ = static_cast<std::size_t>(token.number);
    }
    return std::nullopt;
  }
  if (token.kind != Token::Kind::bulk) {
    fail("a command holds something else than strings");
    return std::nullopt;
  }
  ++seen_;
  std::optional<Event> event;
  if (seen_ == 1) {
    begin_command(token.text);
  } else if (first_event_ > 0 && seen_ >= first_event_) {
    event = Event{Event::Kind::event, static_cast<std::uint32_t>(seen_ - first_event_ + 1), token.text};
  }
  // Before the first of them is decoded, its number is told.
  if (first_event_ > 0 && seen_ + 1 == first_event_) {
    events_ = static_cast<std::uint32_t>(arguments_ - seen_);
    windows_.push_back({events_, command_});
    event = Event{Event::Kind::window_begun, events_, {}};
  }
  if (seen_ == arguments_) end_command();
  return event;
}

void RedisServer::begin_command(std::string_view given) {
  const std::string name = upper(given.substr(0, longest_name));
  command_ = RedisCommand::answered;
  const auto needs = [&](bool fits, RedisCommand command, std::size_t first_event) {
    if (!fits)
      return wire::resp::encode_error(fmt::format("ERR wrong number of arguments for '{}' command", name), answer_);
    command_ = command;
    first_event_ = first_event;
  };
  if (name == "RPUSH" || name == "LPUSH") {
    needs(arguments_ >= 3, RedisCommand::push, 3);
  } else if (name == "PUBLISH") {
    needs(arguments_ == 3, RedisCommand::publish, 3);
  } else if (name == "XADD") {
    needs(arguments_ == 5, RedisCommand::add, 5);
  } else if (name == "PING") {
    wire::resp::encode_simple("PONG", answer_);
  } else if (name == "AUTH" || name == "SELECT" || name == "CLIENT") {
    wire::resp::encode_simple("OK", answer_);
  } else if (name == "COMMAND") {
    wire::resp::encode_array(0, answer_);
  } else if (name == "INFO") {
    wire::resp::encode_bulk("# Server\r\nredis_version:7.0.0\r\n", answer_);
  } else if (name == "QUIT") {
    command_ = RedisCommand::quit;
    wire::resp::encode_simple("OK", answer_);
  } else {
    wire::resp::encode_error(fmt::format("ERR unknown command '{}'", name), answer_);
  }
}

void RedisServer::end_command() {
  if (first_event_ > 0) {
    window_ended_ = true;
  } else {
    replies().append(answer_.view());
    answer_.clear();
  }
  quit_ = command_ == RedisCommand::quit;
  command_ = RedisCommand::none;
  arguments_ = seen_ = first_event_ = 0;
}

/// Where the reply to a command goes that is answered at once: behind those to the commands before it.
base::ByteQueue& RedisServer::replies() {
  return windows_.empty() ? output_ : windows_.back().later;
}

void RedisServer::ack(std::uint32_t count) {
  WINDLASS_ASSERT(!windows_.empty());
  RedisWindow& oldest = windows_.front();
  WINDLASS_ASSERT(count <= oldest.count);
  oldest.acked = std::max(oldest.acked, count);
  if (oldest.acked < oldest.count) return;
  taken_ += oldest.count;
  if (oldest.command == RedisCommand::add)
    wire::resp::encode_bulk(fmt::format("{}-0", taken_), output_);
  else  // the length of the list; or the number of subscribers
    wire::resp::encode_integer(oldest.command == RedisCommand::push ? static_cast<std::int64_t>(taken_) : 1, output_);
  if (!oldest.later.empty()) output_.append(oldest.later.view());
  windows_.pop_front();
}

void RedisServer::fail(std::string detail) {
  wire::resp::encode_error("ERR Protocol error: " + detail, replies());
  WindowedServer::fail(std::move(detail));
}

}  // namespace windlass::protocol
