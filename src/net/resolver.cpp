#include "net/resolver.h"

#include <boost/asio/post.hpp>
#include <netdb.h>
#include <utility>

#include "net/lookup_threads.h"

namespace windlass::net {

void Resolver::Mailbox::post(std::shared_ptr<Lookup::Request> request, std::error_code error, Addresses addresses) {
  const std::lock_guard lock(mutex_);
  if (!context_) return;
  boost::asio::post(*context_, [request = std::move(request), error, addresses = std::move(addresses)] {
    answer(*request, error, addresses);
  });
}

void Resolver::Mailbox::answer(Lookup::Request& request, std::error_code error, const Addresses& addresses) {
  if (!request.callback || !request.mailbox->context_) return;
  const Callback callback = std::exchange(request.callback, nullptr);
  std::vector<SocketAddress> with_port = *addresses;
  for (SocketAddress& address : with_port) address.set_port(request.port);
  request.mailbox->finished();
  callback(error, with_port);
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
  using Request = Lookup::Request;
  const auto literal = SocketAddress::from_literal(name.host, name.port);
  const auto request = std::make_shared<Request>(
      Request{name.host, name.port, mailbox_, literal ? nullptr : threads_, std::move(callback)});
  mailbox_->opened();
  const auto answer_now = [&](std::error_code error, std::vector<SocketAddress> addresses) {
    mailbox_->post(request, error, std::make_shared<const std::vector<SocketAddress>>(std::move(addresses)));
  };
  if (literal) {
    answer_now({}, {*literal});
  } else if (name.host.empty()) {
    answer_now({EAI_NONAME, lookup_category()}, {});
  } else if (!threads_->add(request)) {
    answer_now(std::make_error_code(std::errc::resource_unavailable_try_again), {});
  }
  return Lookup(request);
}

}  // namespace windlass::net
