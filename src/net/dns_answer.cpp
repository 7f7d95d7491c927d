#include "net/dns_answer.h"

#include <algorithm>
#include <arpa/nameser.h>
#include <cctype>
#include <string>
#include <tuple>

#include "base/text.h"

namespace windlass::net {
namespace {

constexpr std::size_t longest_name = 253;

class DnsCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "windlass.dns"; }
  std::string message(int code) const override {
    switch (static_cast<DnsError>(code)) {
      case DnsError::no_such_name:
        return "DNS has no such name";
      case DnsError::no_records:
        return "the name has no SRV records";
      case DnsError::not_offered:
        return "the service is not offered there, as its SRV record says (its target is \".\")";
      case DnsError::no_usable_records:
        return "of its SRV records none has the name of a host and a port";
      case DnsError::servers_failed:
        return "no DNS server has an answer";
      case DnsError::unreadable:
        return "the DNS server's answer cannot be read";
    }
    return "unknown";
  }
};

std::string_view without_final_dot(std::string_view name) {
  return name.ends_with('.') ? name.substr(0, name.size() - 1) : name;
}

bool is_host_name(std::string_view name) {
  const auto is_allowed = [](unsigned char each) { return std::isalnum(each) || each == '-' || each == '_'; };
  if (name.empty() || name.size() > longest_name) return false;
  bool label_is_empty = true;
  for (const unsigned char each : name) {
    if (each == '.' ? label_is_empty : !is_allowed(each)) return false;
    label_is_empty = each == '.';
  }
  return !label_is_empty;
}

/// Calls `take` with each record among the answers. False when the message cannot be read to their end.
template <class Take>
bool each_answer(std::span<const unsigned char> message, Take take) {
  ns_msg parsed;
  if (message.size() > NS_MAXMSG || ns_initparse(message.data(), static_cast<int>(message.size()), &parsed) != 0)
    return false;
  if (ns_msg_getflag(parsed, ns_f_qr) == 0 || ns_msg_getflag(parsed, ns_f_tc) != 0) return false;
  for (int index = 0; index < ns_msg_count(parsed, ns_s_an); ++index) {
    ns_rr record;
    if (ns_parserr(&parsed, ns_s_an, index, &record) != 0) return false;
    if (ns_rr_class(record) == ns_c_in) take(record);
  }
  return true;
}

/// The target of an SRV record as DNS spells it, "." for the root; nothing where it cannot be read.
std::optional<ServiceTarget> read_target(std::span<const unsigned char> message, const ns_rr& record) {
  constexpr int fixed_size = 6;
  if (ns_rr_rdlen(record) <= fixed_size) return std::nullopt;
  const unsigned char* const data = ns_rr_rdata(record);
  char name[NS_MAXDNAME];
  const int used =
      ns_name_uncompress(message.data(), message.data() + message.size(), data + fixed_size, name, sizeof name);
  if (used < 0 || used > ns_rr_rdlen(record) - fixed_size) return std::nullopt;
  ServiceTarget target;
  target.priority = static_cast<std::uint16_t>(ns_get16(data));
  target.weight = static_cast<std::uint16_t>(ns_get16(data + 2));
  target.at = {base::to_lower(name), static_cast<std::uint16_t>(ns_get16(data + 4))};
  return target;
}

}  // namespace

const std::error_category& dns_category() noexcept {
  static const DnsCategory category;
  return category;
}

bool is_service_name(std::string_view name) noexcept {
  const auto dot = name.find("._");
  if (!name.starts_with('_') || dot == name.npos || name.find('.') != dot || dot < 2) return false;
  const auto end = name.find('.', dot + 1);
  return end != name.npos && end > dot + 2 && !without_final_dot(name.substr(end + 1)).empty();
}

std::string service_domain(std::string_view service_name) {
  const auto end = service_name.find('.', service_name.find('.') + 1);
  return base::to_lower(without_final_dot(service_name.substr(end + 1)));
}

bool is_in_domain(std::string_view host, std::string_view domain) noexcept {
  if (host.size() < domain.size() || domain.empty()) return false;
  const std::string_view end = host.substr(host.size() - domain.size());
  if (!base::equal_in_any_case(end, domain)) return false;
  return host.size() == domain.size() || host[host.size() - domain.size() - 1] == '.';
}

std::error_code read_services(std::span<const unsigned char> message, std::vector<ServiceTarget>& targets) {
  targets.clear();
  bool any = false;
  bool not_offered = false;
  bool is_sound = true;
  const bool is_read = each_answer(message, [&](const ns_rr& record) {
    if (ns_rr_type(record) != ns_t_srv) return;
    any = true;
    auto target = read_target(message, record);
    if (!target) {
      is_sound = false;
      return;
    }
    if (target->at.host == "." || target->at.host.empty()) {
      not_offered = true;
      return;
    }
    const std::string& host = target->at.host;
    if (target->at.port != 0 && is_host_name(host) && !is_service_name(host)) targets.push_back(std::move(*target));
  });
  if (!is_read || !is_sound) {
    targets.clear();
    return DnsError::unreadable;
  }
  if (!any) return DnsError::no_records;
  if (targets.empty()) return not_offered ? DnsError::not_offered : DnsError::no_usable_records;
  const auto place = [](const ServiceTarget& target) {
    return std::tie(target.priority, target.at.host, target.at.port, target.weight);
  };
  std::ranges::sort(targets, {}, place);
  targets.erase(std::unique(targets.begin(), targets.end()), targets.end());
  if (targets.size() > max_targets) targets.resize(max_targets);
  return {};
}

std::optional<std::chrono::seconds> time_to_live(std::span<const unsigned char> message) {
  std::optional<std::chrono::seconds> least;
  const bool is_read = each_answer(message, [&](const ns_rr& record) {
    // The highest bit means 0 (RFC 2181, 8).
    const std::uint32_t ttl = ns_rr_ttl(record);
    const std::chrono::seconds time(ttl > 0x7fffffff ? 0 : ttl);
    least = least ? std::min(*least, time) : time;
  });
  return is_read ? least : std::nullopt;
}

}  // namespace windlass::net
