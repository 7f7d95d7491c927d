// What DNS servers answer, read: bytes in, records out. No I/O.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <system_error>
#include <vector>

#include "net/address.h"

namespace windlass::net {

/// Why a question to DNS has no answer that could be used.
enum class DnsError {
  no_such_name = 1,
  no_records,   ///< the name is there, and has no records of this type
  not_offered,  ///< the record's target is ".": the service is decidedly not available (RFC 2782)
  no_usable_records,
  servers_failed,  ///< no answer, or one that says so
  unreadable,
};
const std::error_category& dns_category() noexcept;
inline std::error_code make_error_code(DnsError error) noexcept {
  return {static_cast<int>(error), dns_category()};
}

/// A server of a service, as an SRV record (RFC 2782) names it.
struct ServiceTarget {
  HostPort at;                 ///< in lower case, without the final dot; the port is never 0
  std::uint16_t priority = 0;  ///< those of higher numbers are for when those of lower ones are down
  std::uint16_t weight = 0;    ///< its share, in proportion, among those of its priority

  friend bool operator==(const ServiceTarget&, const ServiceTarget&) = default;
};

/// Whether this is the name of a service, "_lumberjack._tcp.example.org": two labels that begin with underscores, which
/// no host's do, and a domain behind them.
bool is_service_name(std::string_view name) noexcept;
/// "example.org" of "_lumberjack._tcp.example.org": the domain whose service it is, in lower case, without a final dot.
std::string service_domain(std::string_view service_name);
/// Whether the host is the domain, or in it; both without final dots, in whatever case.
bool is_in_domain(std::string_view host, std::string_view domain) noexcept;

/// The SRV records among the answers of a message, each once, ordered by priority, name and port, so that servers that
/// turn the order around change nothing; at least one and at most max_targets, those of the lowest priorities. Records
/// whose target is no host's name (letters, digits, "-" and "_" in labels), or whose port is 0, are passed over.
std::error_code read_services(std::span<const unsigned char> message, std::vector<ServiceTarget>& targets);
constexpr std::size_t max_targets = 1024;

/// How long the answers of a message hold, all of them (a CNAME on the way to an address, too); nothing where there are
/// none, or where it cannot be read.
std::optional<std::chrono::seconds> time_to_live(std::span<const unsigned char> message);

}  // namespace windlass::net

template <>
struct std::is_error_code_enum<windlass::net::DnsError> : std::true_type {};
