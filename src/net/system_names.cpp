#include "net/system_names.h"

#include <algorithm>
#include <arpa/nameser.h>
#include <cerrno>
#include <initializer_list>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <resolv.h>
#include <span>
#include <utility>

#include "net/dns_answer.h"

namespace windlass::net {
namespace {

/// A state of the C library's DNS client for one question.
class DnsClient {
 public:
  DnsClient() { is_open_ = res_ninit(&state_) == 0; }
  ~DnsClient() {
    if (is_open_) res_nclose(&state_);
  }
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  /// Asks each server once, and waits a second for each.
  void be_brief() {
    state_.retrans = 1;
    state_.retry = 1;
  }

  /// As for hosts, the search list of resolv.conf counts.
  std::error_code ask(const std::string& name, int type) {
    if (!is_open_) return DnsError::servers_failed;
    message_.resize(NS_MAXMSG);
    const int size =
        res_nsearch(&state_, name.c_str(), ns_c_in, type, message_.data(), static_cast<int>(message_.size()));
    message_.resize(static_cast<std::size_t>(std::max(size, 0)));
    if (size >= 0) return {};
    switch (state_.res_h_errno) {
      case HOST_NOT_FOUND:
        return DnsError::no_such_name;
      case NO_DATA:
        return DnsError::no_records;
      default:
        return DnsError::servers_failed;
    }
  }
  std::span<const unsigned char> message() const { return message_; }

 private:
  struct __res_state state_ {};
  bool is_open_ = false;
  std::vector<unsigned char> message_;
};

std::error_code find_services(const std::string& name, NameAnswer& answer) {
  DnsClient dns;
  if (const std::error_code error = dns.ask(name, ns_t_srv)) return error;
  answer.time_to_live = time_to_live(dns.message());
  return read_services(dns.message(), answer.targets);
}

std::error_code find_addresses(const std::string& name, NameAnswer& answer) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int code = getaddrinfo(name.c_str(), nullptr, &hints, &found); code != 0)
    return code == EAI_SYSTEM ? std::error_code(errno, std::system_category())
                              : std::error_code(code, lookup_category());
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  for (const addrinfo* each = found; each && answer.addresses.size() < Resolver::max_addresses; each = each->ai_next)
    if (each->ai_family == AF_INET || each->ai_family == AF_INET6)
      answer.addresses.emplace_back(each->ai_addr, each->ai_addrlen);
  return {};
}

/// getaddrinfo does not tell how long its answer holds, so DNS is asked again, which has just had the answer. Names
/// that come from elsewhere (/etc/hosts) have no such time.
void find_time_to_live(const std::string& name, NameAnswer& answer) {
  for (const auto& [family, type] : {std::pair(AF_INET, ns_t_a), std::pair(AF_INET6, ns_t_aaaa)}) {
    if (std::ranges::find(answer.addresses, family, &SocketAddress::family) == answer.addresses.end()) continue;
    DnsClient dns;
    dns.be_brief();
    if (dns.ask(name, type)) continue;
    const auto time = time_to_live(dns.message());
    if (time) answer.time_to_live = std::min(*time, answer.time_to_live.value_or(*time));
  }
}

}  // namespace

std::error_code ask_system(const NameQuestion& question, NameAnswer& answer) {
  if (question.about == NameQuestion::About::services) return find_services(question.name, answer);
  const std::error_code error = find_addresses(question.name, answer);
  if (!error && question.about == NameQuestion::About::addresses_and_time) find_time_to_live(question.name, answer);
  return error;
}

}  // namespace windlass::net
