// How a proxy is asked to connect us to somebody: HTTP CONNECT (RFC 9110, 9.3.6) and SOCKS5 (RFC 1928, 1929). No I/O,
// no clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

namespace windlass::protocol {

/// One conversation over a connection to the proxy. What is in output() is to be sent whenever there is any; what comes
/// is to be given to receive(). Once done(), the connection is one to the target; an error ends it.
class ProxyClient {
 public:
  enum class Kind { http, socks5 };
  struct Options {
    Kind kind = Kind::http;
    /// Where to: a name, which the proxy looks up, or an address without brackets; at most 255 bytes.
    std::string host = {};
    std::uint16_t port = 0;
    /// Both empty: none. With SOCKS5 at most 255 bytes each.
    std::string user = {};
    std::string password = {};
    /// HTTP: the value of Proxy-Authorization that says the same; empty: none.
    std::string authorization = {};
    /// SOCKS5: the 4 or 16 bytes of `host` where that is an address; empty: it is a name.
    std::string address = {};
  };

  /// What a proxy may say in all before it is an error.
  static constexpr std::size_t max_bytes = std::size_t{16} << 10;

  explicit ProxyClient(Options options);

  /// To be sent; the caller takes it by moving it out or clearing it.
  std::string& output() { return output_; }
  /// Takes bytes of the proxy, and returns how many: what follows its last answer is the target's.
  std::size_t receive(std::string_view bytes);

  bool done() const { return done_; }
  /// errc::connect_failed: the proxy does not want to, or cannot; errc::protocol_error: it said something else than a
  /// proxy of its kind would.
  std::error_code error() const { return error_; }
  /// Why, after an error: "the proxy refuses: 403 Forbidden".
  const std::string& error_detail() const { return error_detail_; }

 private:
  enum class Stage { http_header, socks_method, socks_password, socks_reply, socks_address };

  void on_part();
  void on_http_header();
  void on_socks_method();
  void on_socks_password();
  void on_socks_reply();
  void ask_socks();
  bool part_is_whole() const;
  void fail(std::error_code error, std::string detail);

  const Options options_;
  std::string output_;
  Stage stage_;
  std::size_t wanted_ = 0;  // bytes of the part that is being received; SOCKS5 only
  std::string part_;
  std::size_t heard_ = 0;
  bool done_ = false;
  std::error_code error_;
  std::string error_detail_;
};

}  // namespace windlass::protocol
