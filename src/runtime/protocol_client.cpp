#include "runtime/protocol_client.h"

#include <utility>

#include <windlass/error.h>

namespace windlass::runtime {
namespace {

/// What a connection keeps of its output buffer while nothing is in flight.
constexpr std::size_t idle_output = std::size_t{64} << 10;

}  // namespace

ProtocolClient::ProtocolClient(Loop& loop, net::Connector::Options options, ConversationFactory conversations)
    : connector_(loop.context(), loop.resolver(), std::move(options)), conversations_(std::move(conversations)) {}

void ProtocolClient::connect(Link link, std::chrono::milliseconds timeout) {
  link_ = std::move(link);
  timeout_ = timeout;
  connected_ = lost_ = false;
  open();
}

void ProtocolClient::open() {
  connector_.connect(timeout_, [this](std::error_code error, std::string detail, std::unique_ptr<net::Stream> stream) {
    if (!error) return begin(std::move(stream));
    lost_ = true;
    link_.lost(error, std::move(detail));
  });
}

void ProtocolClient::begin(std::unique_ptr<net::Stream> stream) {
  stream_ = std::move(stream);
  conversation_ = conversations_();
  stream_->start(*this);
  conversation_->start();
  proceed({});
}

void ProtocolClient::publish(Batch batch, Completion done) {
  if (lost_) return done.failed(errc::connection_lost);
  const std::uint64_t token = ++last_token_;
  published_.emplace(token, Published{std::move(batch), std::move(done)});
  waiting_.push_back(token);
  if (stream_) return flush();
  if (!connector_.connecting()) open();
}

void ProtocolClient::close() noexcept {
  lost_ = true;
  connector_.cancel();
  stream_.reset();
  conversation_.reset();
  waiting_.clear();
  published_.clear();
}

void ProtocolClient::flush() {
  if (stream_->sending()) return;
  // Encoded only now: what waits for the line takes no second piece of memory.
  while (conversation_->output().empty() && !waiting_.empty() && conversation_->can_send()) {
    const std::uint64_t token = waiting_.front();
    waiting_.pop_front();
    conversation_->tell_time(std::chrono::system_clock::now());
    conversation_->send(token, published_.at(token).batch);
    tell_answers();
  }
  if (!conversation_->output().empty()) stream_->send(conversation_->output());
}

void ProtocolClient::on_sent() {
  if (published_.empty()) conversation_->output().shrink(idle_output);
  flush();
}

void ProtocolClient::on_received(std::string_view bytes) {
  conversation_->tell_time(std::chrono::system_clock::now());
  proceed(conversation_->receive(bytes));
}

void ProtocolClient::on_closed(std::error_code error) {
  conversation_->tell_time(std::chrono::system_clock::now());
  error = conversation_->receive_end(error);
  if (!error) stream_->close();
  proceed(error);
}

void ProtocolClient::proceed(std::error_code error) {
  tell_answers();
  if (error) return lose(error);
  if (!connected_ && conversation_->ready()) {
    connected_ = true;
    link_.connected();
  }
  if (stream_->is_open() && !conversation_->finished()) return flush();
  if (!connected_) return lose(errc::connection_lost);
  stream_.reset();
  conversation_.reset();
  if (!waiting_.empty()) open();
}

void ProtocolClient::tell_answers() {
  using Kind = protocol::ClientConversation::Event::Kind;
  while (auto event = conversation_->poll()) {
    if (event->kind == Kind::alive) {
      link_.alive();
      continue;
    }
    if (event->kind == Kind::again) {
      waiting_.push_front(event->token);
      continue;
    }
    const auto found = published_.find(event->token);
    if (event->kind == Kind::progress) {
      found->second.completion.progress(event->count);
      continue;
    }
    found->second.completion.finish(std::move(event->result));
    published_.erase(found);
  }
}

void ProtocolClient::lose(std::error_code error) {
  const std::string_view detail = conversation_->error_detail();
  link_.lost(error, stream_->peer_endpoint() + ": " + (detail.empty() ? error.message() : std::string(detail)));
  lost_ = true;
  stream_->close();
}

}  // namespace windlass::runtime
