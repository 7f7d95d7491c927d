#include "protocol/proxy_client.h"

#include <array>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <utility>

#include <windlass/error.h>

#include "base/assert.h"

namespace windlass::protocol {
namespace {

// RFC 1928 and 1929.
constexpr char socks_version = 5;
constexpr char password_version = 1;
constexpr unsigned char no_authentication = 0;
constexpr unsigned char by_password = 2;
constexpr unsigned char no_acceptable_method = 0xff;
constexpr char connect_command = 1;
constexpr char ipv4 = 1;
constexpr char domain_name = 3;
constexpr char ipv6 = 4;

constexpr std::array socks_errors{"it failed",
                                  "its rules do not allow it",
                                  "the network cannot be reached",
                                  "the host cannot be reached, or its name is not known",
                                  "the connection was refused",
                                  "no answer within its time",
                                  "it knows no CONNECT",
                                  "it does not know this type of address"};

std::string with_length(const std::string& text) {
  WINDLASS_ASSERT(text.size() <= 255);
  return static_cast<char>(text.size()) + text;
}

std::string connect_request(const ProxyClient::Options& options) {
  const bool colons = options.host.find(':') != std::string::npos;
  const std::string target = (colons ? '[' + options.host + ']' : options.host) + ':' + std::to_string(options.port);
  std::string request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!options.authorization.empty()) request += "Proxy-Authorization: " + options.authorization + "\r\n";
  return request + "\r\n";
}

}  // namespace

ProxyClient::ProxyClient(Options options)
    : options_(std::move(options)), stage_(options_.kind == Kind::http ? Stage::http_header : Stage::socks_method) {
  if (options_.kind == Kind::http) {
    output_ = connect_request(options_);
    return;
  }
  const bool password = !options_.user.empty() || !options_.password.empty();
  output_ = {socks_version, static_cast<char>(password ? 2 : 1), static_cast<char>(no_authentication)};
  if (password) output_ += static_cast<char>(by_password);
  wanted_ = 2;
}

bool ProxyClient::part_is_whole() const {
  return stage_ == Stage::http_header ? part_.ends_with("\r\n\r\n") : part_.size() == wanted_;
}

std::size_t ProxyClient::receive(std::string_view bytes) {
  std::size_t taken = 0;
  while (taken < bytes.size() && !done_ && !error_) {
    part_ += bytes[taken++];
    ++heard_;
    if (part_is_whole())
      on_part();
    else if (heard_ >= max_bytes)
      fail(errc::protocol_error, "the proxy's answer is too long");
  }
  return taken;
}

void ProxyClient::on_part() {
  switch (stage_) {
    case Stage::http_header:
      on_http_header();
      break;
    case Stage::socks_method:
      on_socks_method();
      break;
    case Stage::socks_password:
      on_socks_password();
      break;
    case Stage::socks_reply:
      on_socks_reply();
      break;
    case Stage::socks_address:
      done_ = true;  // the address from which the proxy has connected is of no use to us
      break;
  }
  part_.clear();
}

void ProxyClient::on_http_header() {
  namespace http = boost::beast::http;
  http::response_parser<http::empty_body> parser;
  parser.skip(true);  // what follows is the target's
  boost::beast::error_code error;
  parser.put(boost::asio::const_buffer(part_.data(), part_.size()), error);
  if (error || !parser.is_header_done())
    return fail(errc::protocol_error, "what answers is no HTTP proxy: " + error.message());
  const auto& answer = parser.get();
  const unsigned status = answer.result_int();
  if (status / 100 == 1) return;  // another one follows
  if (status / 100 == 2) {
    done_ = true;
    return;
  }
  if (status == 407)
    return fail(errc::connect_failed, options_.authorization.empty()
                                          ? "the proxy wants a user and a password"
                                          : "the proxy does not accept the user and the password");
  const std::string reason(answer.reason().substr(0, 100));
  fail(errc::connect_failed, "the proxy refuses: " + std::to_string(status) + (reason.empty() ? "" : " ") + reason);
}

void ProxyClient::on_socks_method() {
  if (part_[0] != socks_version) return fail(errc::protocol_error, "what answers is no SOCKS5 proxy");
  const bool password = !options_.user.empty() || !options_.password.empty();
  const auto method = static_cast<unsigned char>(part_[1]);
  if (method == no_authentication) return ask_socks();
  if (method == by_password && password) {
    output_ += password_version + with_length(options_.user) + with_length(options_.password);
    stage_ = Stage::socks_password;
    return;
  }
  if (method != no_acceptable_method)
    return fail(errc::protocol_error, "the proxy chose a way of authentication that was not offered");
  fail(errc::connect_failed, password ? "the proxy takes neither a password nor nobody"
                                      : "the proxy wants a user and a password, or more than that");
}

void ProxyClient::on_socks_password() {
  if (part_[0] != password_version) return fail(errc::protocol_error, "the proxy's answer to the password is none");
  if (part_[1] != 0) return fail(errc::connect_failed, "the proxy does not accept the user and the password");
  ask_socks();
}

void ProxyClient::ask_socks() {
  output_ += {socks_version, connect_command, 0};
  if (options_.address.empty())
    output_ += domain_name + with_length(options_.host);
  else
    output_ += (options_.address.size() == 4 ? ipv4 : ipv6) + options_.address;
  output_ += {static_cast<char>(options_.port >> 8), static_cast<char>(options_.port & 0xff)};
  stage_ = Stage::socks_reply;
  wanted_ = 5;  // up to the first byte of the address, which is its length where it is a name
}

void ProxyClient::on_socks_reply() {
  if (part_[0] != socks_version) return fail(errc::protocol_error, "the proxy's answer is none of SOCKS5");
  const auto code = static_cast<unsigned char>(part_[1]);
  if (code > socks_errors.size()) return fail(errc::connect_failed, "the proxy refuses: code " + std::to_string(code));
  if (code != 0) return fail(errc::connect_failed, std::string("the proxy refuses: ") + socks_errors[code - 1]);
  stage_ = Stage::socks_address;
  constexpr std::size_t port_bytes = 2;
  if (part_[3] == ipv4)
    wanted_ = 3 + port_bytes;
  else if (part_[3] == ipv6)
    wanted_ = 15 + port_bytes;
  else if (part_[3] == domain_name)
    wanted_ = static_cast<unsigned char>(part_[4]) + port_bytes;
  else
    fail(errc::protocol_error, "the proxy's answer has an address of no known type");
}

void ProxyClient::fail(std::error_code error, std::string detail) {
  error_ = error;
  error_detail_ = std::move(detail);
}

}  // namespace windlass::protocol
