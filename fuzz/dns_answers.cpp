// A DNS server that says anything: what is read are names of hosts and ports, in order, each once, within the limit.
//
// Input: the message.
#include <algorithm>
#include <cstring>
#include <string_view>
#include <vector>

#include "input.h"
#include "net/dns_answer.h"

namespace {

using windlass::fuzz::require;
using windlass::net::ServiceTarget;

bool is_plain(const ServiceTarget& target) {
  const std::string_view host = target.at.host;
  return !host.empty() && host.size() <= 253 && host.front() != '.' && host.back() != '.' && target.at.port != 0 &&
         host.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-_.") == host.npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<ServiceTarget> targets;
  const std::error_code error = windlass::net::read_services({data, size}, targets);
  require(static_cast<bool>(error) == targets.empty(), "targets, or an error");
  require(targets.size() <= windlass::net::max_targets, "there is a limit");
  require(std::ranges::all_of(targets, is_plain), "nothing but hosts and ports");
  require(std::ranges::is_sorted(targets, {}, &ServiceTarget::priority), "by priority");
  require(std::ranges::adjacent_find(targets) == targets.end(), "each once");
  const auto time = windlass::net::time_to_live({data, size});
  require(!time || time->count() >= 0, "no time is negative");
  require(error || time, "records have a time to live");
  return 0;
}
