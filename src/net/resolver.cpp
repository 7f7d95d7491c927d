#include "net/resolver.h"

#include <boost/asio/post.hpp>
#include <netdb.h>
#include <utility>

#include "net/lookup_threads.h"

namespace windlass::net {

void Resolver::Mailbox::post(std::shared_ptr<Lookup::Request> request, std::error_code error, SharedAnswer found) {
  const std::lock_guard lock(mutex_);
  if (!context_) return;
  boost::asio::post(
      *context_, [request = std::move(request), error, found = std::move(found)] { answer(*request, error, *found); });
}

void Resolver::Mailbox::answer(Lookup::Request& request, std::error_code error, const NameAnswer& found) {
  if (!request.callback || !request.mailbox->context_) return;
  const AnswerCallback callback = std::exchange(request.callback, nullptr);
  request.mailbox->finished();
  callback(error, found);
}

void Resolver::Mailbox::opened() {
  if (open_requests_++ == 0) work_.emplace(context_->get_executor());
}

void Resolver::Mailbox::finished() noexcept {
  if (--open_requests_ == 0) work_.reset();
}

void Resolver::Mailbox::close() noexcept {
  work_.reset();
  const std::lock_guard lock(mutex_);
  context_ = nullptr;
}

Resolver::Lookup& Resolver::Lookup::operator=(Lookup&& other) noexcept {
  if (this == &other) return *this;
  abandon();
  request_ = std::move(other.request_);
  return *this;
}

void Resolver::Lookup::abandon() noexcept {
  const auto request = std::exchange(request_, nullptr);
  if (!request || !request->callback) return;
  request->callback = nullptr;
  request->mailbox->finished();
  if (request->threads) request->threads->forget(request);
}

Resolver::Resolver(boost::asio::io_context& context, LookupThreads& threads)
    : mailbox_(std::make_shared<Mailbox>(context)), threads_(threads.impl_) {}

Resolver::~Resolver() {
  mailbox_->close();
}

Resolver::Lookup Resolver::look_up(const HostPort& name, Callback callback) {
  return ask({NameQuestion::About::addresses, name.host},
             [port = name.port, callback = std::move(callback)](std::error_code error, const NameAnswer& found) {
               std::vector<SocketAddress> with_port = found.addresses;
               for (SocketAddress& address : with_port) address.set_port(port);
               callback(error, with_port);
             });
}

Resolver::Lookup Resolver::ask(NameQuestion question, AnswerCallback callback) {
  using Request = Lookup::Request;
  const bool is_literal = SocketAddress::from_literal(question.name, 0).has_value();
  const auto request = std::make_shared<Request>(
      Request{std::move(question), mailbox_, is_literal ? nullptr : threads_, std::move(callback)});
  const std::string& name = request->question.name;
  mailbox_->opened();
  const auto answer_now = [&](std::error_code error, NameAnswer found) {
    mailbox_->post(request, error, std::make_shared<const NameAnswer>(std::move(found)));
  };
  if (is_literal) {
    answer_now({}, {.addresses = {*SocketAddress::from_literal(name, 0)}, .targets = {}, .time_to_live = {}});
  } else if (name.empty()) {
    answer_now({EAI_NONAME, lookup_category()}, {});
  } else if (!threads_->add(request)) {
    answer_now(std::make_error_code(std::errc::resource_unavailable_try_again), {});
  }
  return Lookup(request);
}

}  // namespace windlass::net
