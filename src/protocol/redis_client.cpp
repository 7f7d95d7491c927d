#include "protocol/redis_client.h"

#include <fmt/format.h>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {
namespace {

using wire::resp::CommandHead;
using wire::resp::Token;

// Replies are numbers, ids of stream entries, and errors.
constexpr wire::resp::DecoderLimits limits{
    .max_line_bytes = 4096, .max_bulk_bytes = 4096, .max_elements = 0, .max_depth = 0};

CommandHead head_of(RedisDataType type, std::string_view key) {
  switch (type) {
    case RedisDataType::list:
      return CommandHead({"RPUSH", key});
    case RedisDataType::channel:
      return CommandHead({"PUBLISH", key});
    case RedisDataType::stream:
      return CommandHead({"XADD", key, "*", "event"});
  }
  WINDLASS_ASSERT(false);
  return CommandHead({});
}

bool is_error(const Token& reply, std::string_view code) {
  return reply.kind == Token::Kind::error && reply.text.substr(0, reply.text.find(' ')) == code;
}

std::string text_of(const Token& error) {
  return error.text.empty() ? "an error without a text" : std::string(error.text);
}

}  // namespace

RedisClient::RedisClient(const Options& options)
    : options_(options), head_(head_of(options.data_type, options.key)), decoder_(limits) {}

void RedisClient::start() {
  started_ = true;
  const auto say = [&](std::initializer_list<std::string_view> command) {
    wire::resp::encode_command(command, output_);
    handshake_.push_back(*command.begin());
  };
  if (!options_.user.empty())
    say({"AUTH", options_.user, options_.password});
  else if (!options_.password.empty())
    say({"AUTH", options_.password});
  if (options_.database != 0) say({"SELECT", std::to_string(options_.database)});
  say({"PING"});
}

void RedisClient::send(std::uint64_t token, const Batch& batch) {
  WINDLASS_ASSERT(!error_ && ready() && !batch.empty());
  const auto count = static_cast<std::uint32_t>(batch.size());
  if (options_.data_type == RedisDataType::list) {
    head_.encode_once(batch, output_);
    batches_.push_back({token, count, 1});
  } else {
    head_.encode_each(batch, output_);
    batches_.push_back({token, count, count});
  }
}

std::error_code RedisClient::receive(std::string_view bytes) {
  if (error_) return error_;
  decoder_.feed(bytes);
  while (!error_) {
    const auto reply = decoder_.next();
    if (!reply) break;
    on_reply(*reply);
  }
  if (!error_ && decoder_.error()) fail(errc::protocol_error, decoder_.error_detail());
  return error_;
}

void RedisClient::on_reply(const Token& reply) {
  if (!handshake_.empty()) return on_handshake_reply(reply);
  if (pending() > 0) return on_publish_reply(batches_[done_], reply);
  // Some errors need no command: before the server closes the connection it may say why.
  if (reply.kind == Token::Kind::error) return fail(errc::temporary, text_of(reply));
  fail(errc::protocol_error, "a reply to no command");
}

void RedisClient::on_handshake_reply(const Token& reply) {
  const std::string_view command = handshake_.front();
  // Who may not ask may all the same be allowed to write.
  const bool fine = reply.kind == Token::Kind::simple || (command == "PING" && is_error(reply, "NOPERM"));
  if (fine) return handshake_.pop_front();
  if (reply.kind != Token::Kind::error) return fail(errc::protocol_error, fmt::format("{}: an odd reply", command));
  fail(errc::connect_failed, fmt::format("{}: {}", command, reply.text));
}

void RedisClient::on_publish_reply(Sent& batch, const Token& reply) {
  const bool list = options_.data_type == RedisDataType::list;
  const std::uint32_t from = list ? 0 : batch.count - batch.replies;
  const std::uint32_t to = list ? batch.count : from + 1;
  const auto taken = options_.data_type == RedisDataType::stream ? Token::Kind::bulk : Token::Kind::integer;
  if (reply.kind == taken) {
    if (batch.acked == from)
      batch.acked = to;
    else
      alive_ = true;
  } else if (is_error(reply, "OOM")) {
    for (std::uint32_t index = from; index < to; ++index) batch.rest.push_back({index, errc::throttled});
    alive_ = true;
  } else if (reply.kind == Token::Kind::error) {
    return fail(errc::temporary, text_of(reply));
  } else {
    return fail(errc::protocol_error, "an odd reply to a command that adds events");
  }
  if (--batch.replies == 0) ++done_;
}

std::optional<RedisClient::Event> RedisClient::poll() {
  if (done_ > 0) {
    Sent batch = std::move(batches_.front());
    batches_.pop_front();
    --done_;
    PublishResult result;
    if (!batch.rest.empty()) result.error = errc::throttled;
    result.rest = std::move(batch.rest);
    return Event{Event::Kind::done, batch.token, batch.count, std::move(result)};
  }
  if (!batches_.empty() && batches_.front().acked > batches_.front().reported) {
    Sent& batch = batches_.front();
    batch.reported = batch.acked;
    return Event{Event::Kind::progress, batch.token, batch.acked};
  }
  if (std::exchange(alive_, false)) return Event{Event::Kind::alive};
  return std::nullopt;
}

void RedisClient::fail(std::error_code error, std::string detail) {
  error_ = error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::protocol
