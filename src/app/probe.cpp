#include "app/probe.h"

#include <algorithm>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <utility>

#include <windlass/error.h>
#include <windlass/event_buffer.h>

#include "app/config_error.h"
#include "app/event_encoder.h"
#include "app/output.h"
#include "app/units.h"

namespace windlass::app {
namespace {

using Result = ProbeStep::Result;

constexpr std::size_t longest_text = 500;
// For a server that objects as soon as the connection stands: in TLS 1.3 it looks at our certificate only then.
constexpr std::chrono::milliseconds patience_for_objections{300};

std::string days_left(std::chrono::system_clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::hours>(end - std::chrono::system_clock::now());
  return fmt::format("{} days left", left.count() / 24);
}

std::vector<std::string> lines_of(const net::CertificateInfo& certificate) {
  return {fmt::format("certificate: {}", certificate.subject), fmt::format("issued by: {}", certificate.issuer),
          certificate.names.empty() ? "names: none" : fmt::format("names: {}", fmt::join(certificate.names, ", ")),
          fmt::format("expires: {:%Y-%m-%d %H:%M:%S} UTC, {}",
                      fmt::gmtime(std::chrono::system_clock::to_time_t(certificate.not_after)),
                      days_left(certificate.not_after))};
}

/// Where to look, by what the failure says.
std::string hint_of(std::string_view step, std::error_code error, std::string_view text) {
  const auto says = [&](std::string_view words) { return text.find(words) != std::string_view::npos; };
  if (step == "resolution") return "look at the name in hosts, and at /etc/hosts and /etc/resolv.conf";
  if (says("does the peer speak TLS")) return "the server may want no TLS on this port: ssl.enabled: false";
  if (says("does not accept our certificate")) return "look at ssl.certificate and ssl.key";
  if (says("unknown authority") || says("not trusted"))
    return "ssl.certificate_authorities must have the authority that issued the certificate";
  if (says("is not for \"")) return "connect by a name that the certificate is for, or set ssl.verification_mode";
  if (says("expired on") || says("not valid before"))
    return "look at the server's certificate, and at this machine's clock";
  if (says("the proxy")) return "look at proxy_url, and at the proxy's log";
  if (says("only write ops with an op_type of create")) return "this is a data stream, which wants op_type: create";
  if (says("cluster_block_exception")) return "look at the blocks in the index's settings, and at the server's disk";
  if (says("pipeline with id")) return "look at pipeline";
  if (says("unrecognized parameter")) return "look at parameters";
  if (says("invalid_index_name_exception") || says("index_not_found_exception")) return "look at index";
  if (step == "authentication" || says("NOAUTH")) return "look at username and password";
  if (step == "TLS") return "look at ssl.*, and at the server's log";
  if (error == std::errc::connection_refused) return "is the server running, and is this its port?";
  if (step == "connection") return "look at the address, and at firewalls and routes on the way";
  if (error == errc::connection_lost)
    return "does the server speak this protocol on this port, or want TLS? look at its log";
  return "look at the server's log";
}

std::optional<net::Proxy> proxy_of(const OutputConfig& output) {
  if (output.proxy_url.empty()) return std::nullopt;
  net::Proxy proxy = net::parse_proxy_url(output.proxy_url);
  proxy.resolve_here = output.proxy_use_local_resolver;
  return proxy;
}

std::string test_event() {
  char name[256] = {};
  const std::string host = ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
  // As EventEncoder has it, with the mark besides.
  EventBuffer encoded;
  const auto now = std::chrono::system_clock::now().time_since_epoch().count();
  EventEncoder(host, "windlass test output", static_cast<std::uint64_t>(now))
      .encode("This event is a test of the connection.", 0, encoded);
  std::string event(encoded[0]);
  event.insert(1, R"("tags":["windlass-test"],)");
  return event;
}

}  // namespace

std::string_view to_string(Result result) {
  switch (result) {
    case Result::passed:
      return "passed";
    case Result::failed:
      return "failed";
    case Result::warned:
      return "warned";
    case Result::none:
      return "none";
  }
  return {};
}

Probe::Probe(boost::asio::io_context& context, net::Resolver& resolver, const Host& host, const OutputConfig& output,
             const std::optional<net::TlsContext>& tls, bool send_event)
    : output_(output),
      host_(host),
      endpoint_(net::to_string(host.address)),
      tls_(tls.has_value()),
      send_event_(send_event),
      connector_(context, resolver, {host.address, tls, host.server_name, this, proxy_of(output)}),
      timer_(context) {}

void Probe::start() {
  step_began_ = Clock::now();
  connector_.connect(output_.timeout,
                     [this](std::error_code error, const std::string& detail, std::unique_ptr<net::Stream> stream) {
                       connected(error, detail, std::move(stream));
                     });
}

void Probe::on_resolved(const std::vector<net::SocketAddress>& addresses) {
  std::vector<std::string> list;
  for (const net::SocketAddress& address : addresses) list.push_back(net::to_string(address));
  add("resolution", Result::passed, fmt::format("{}", fmt::join(list, ", ")));
  connecting_ = "connection";
}

void Probe::on_connected(const net::SocketAddress& address) {
  add("connection", Result::passed,
      output_.proxy_url.empty() ? net::to_string(address) : "by the proxy " + net::to_string(address));
  if (tls_) connecting_ = "TLS";
}

void Probe::on_secured(const net::SocketAddress&, const net::TlsInfo& tls) {
  add("TLS", Result::passed, fmt::format("{}, {}", tls.version, tls.cipher),
      tls.peer ? lines_of(*tls.peer) : std::vector<std::string>());
}

void Probe::on_address_failed(const net::SocketAddress&, std::string_view detail) {
  add(connecting_, Result::warned, printable(detail, longest_text));
  connecting_ = "connection";
}

void Probe::connected(std::error_code error, const std::string& detail, std::unique_ptr<net::Stream> stream) {
  if (error) {
    // The last address has told of itself already.
    if (!steps_.empty() && steps_.back().result == Result::warned) {
      steps_.back().result = Result::failed;
      steps_.back().hint = hint_of(steps_.back().name, error, steps_.back().text);
      return end(false);
    }
    return fail(connecting_, error, detail);
  }
  if (!tls_) add("TLS", Result::none, "not configured");
  stream_ = std::move(stream);
  converse();
}

void Probe::converse() {
  const net::HostPort host{host_.server_name.empty() ? host_.address.host : host_.server_name, host_.address.port};
  if (auto greeting = send_event_ ? nullptr : greeting_of(output_, host)) {
    greeting_ = greeting.get();
    conversation_ = std::move(greeting);
  } else {
    conversation_ = conversation_of(output_, host);
  }
  arm(output_.timeout, &Probe::nothing_came);
  stream_->start(*this);
  conversation_->start();
  proceed({});
}

void Probe::flush() {
  if (!ended_ && !stream_->sending() && !conversation_->output().empty()) stream_->send(conversation_->output());
}

void Probe::on_sent() {
  flush();
}

void Probe::on_received(std::string_view bytes) {
  conversation_->tell_time(std::chrono::system_clock::now());
  proceed(conversation_->receive(bytes));
}

void Probe::on_closed(std::error_code error) {
  conversation_->tell_time(std::chrono::system_clock::now());
  const std::error_code failure = conversation_->receive_end(error);
  proceed(failure || authenticated_ ? failure : error);
}

/// What every step of the conversation ends with.
void Probe::proceed(std::error_code error) {
  using Kind = protocol::ClientConversation::Event::Kind;
  while (auto event = conversation_->poll())
    if (event->kind == Kind::done) return took_event(event->result);
  if (error) return lost(error);
  if (!authenticated_ && conversation_->ready()) authenticated();
  flush();
}

void Probe::authenticated() {
  authenticated_ = true;
  const bool by_name = !output_.username.empty() || !output_.password.empty();
  const bool by_key = !output_.request.api_key.empty(), by_token = !output_.request.bearer_token.empty();
  if (!by_name && !by_key && !by_token)
    add("authentication", Result::none, "no user or password is configured");
  else if (output_.type == OutputType::redis || (greeting_ != nullptr && greeting_->fine()))
    add("authentication", Result::passed,
        by_key                     ? "by API key"
        : by_token                 ? "by bearer token"
        : output_.username.empty() ? "by password"
                                   : fmt::format("as {}", printable(output_.username, longest_text)));
  if (send_event_) return send_test_event();
  if (output_.type == OutputType::redis) {
    add("round trip", Result::passed, "PING was answered");
    return end(true);
  }
  if (greeting_ != nullptr) {
    add("round trip", greeting_->fine() ? Result::passed : Result::none,
        greeting_->fine() ? printable(greeting_->said(), longest_text)
                          : fmt::format("{}, which says nothing of events: use --send-event, which sends one that is "
                                        "marked as a test",
                                        printable(greeting_->said(), longest_text)));
    return end(true);
  }
  arm(patience_for_objections, &Probe::no_objection);
}

void Probe::send_test_event() {
  auto buffer = std::make_shared<EventBuffer>();
  buffer->append(test_event());
  conversation_->tell_time(std::chrono::system_clock::now());
  conversation_->send(1, Batch(std::move(buffer)));
}

void Probe::took_event(const PublishResult& result) {
  if (result != PublishResult::acked()) {
    const std::error_code why = result.rest.empty() ? result.error : result.rest.front().why;
    const std::string& said = result.rest.empty() ? result.detail : result.rest.front().detail;
    const std::string_view detail = said.empty() ? conversation_->error_detail() : said;
    return fail("round trip", why,
                fmt::format("the test event was not acknowledged: {}", detail.empty() ? why.message() : detail));
  }
  add("round trip", Result::passed, "a test event was sent and acknowledged");
  end(true);
}

void Probe::arm(std::chrono::nanoseconds time, void (Probe::*expired)()) {
  timer_.expires_after(time);
  timer_.async_wait([this, expired](boost::system::error_code error) {
    if (!error && !ended_) (this->*expired)();
  });
}

void Probe::nothing_came() {
  fail(authenticated_ || output_.username.empty() ? "round trip" : "authentication", errc::timeout,
       fmt::format("no answer within {}", format_duration(output_.timeout)));
}

void Probe::no_objection() {
  add("round trip", Result::none, "not tried: use --send-event, which sends an event that is marked as a test");
  steps_.back().milliseconds.reset();
  end(true);
}

void Probe::lost(std::error_code error) {
  const std::string detail(conversation_->error_detail());
  const std::string text = printable(detail.empty() ? error.message() : detail, longest_text);
  const bool by_name = detail.starts_with("AUTH") || detail.find("NOAUTH") != std::string::npos ||
                       detail.find(" is answered 401") != std::string::npos;
  fail(by_name ? "authentication" : "round trip", error, text);
}

void Probe::end(bool passed) {
  ended_ = true;
  passed_ = passed;
  timer_.cancel();
  if (stream_) stream_->close();
}

void Probe::add(std::string_view name, Result result, std::string text, std::vector<std::string> details) {
  const auto now = Clock::now();
  std::optional<double> taken;
  if (result != Result::none) taken = std::chrono::duration<double, std::milli>(now - step_began_).count();
  steps_.push_back({name, result, std::move(text), std::move(details), {}, taken});
  step_began_ = now;
}

void Probe::fail(std::string_view name, std::error_code error, const std::string& text) {
  add(name, Result::failed, printable(text.empty() ? error.message() : text, longest_text));
  steps_.back().hint = hint_of(name, error, text);
  end(false);
}

}  // namespace windlass::app
