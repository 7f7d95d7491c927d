#include "app/endpoint_set.h"

#include <set>

#include <windlass/endpoints.h>

namespace windlass::app {
namespace {

constexpr unsigned last_place = 0xffff;  // that reserve_priority tells from others

}  // namespace

EndpointSet::Change EndpointSet::become(const std::vector<Host>& hosts) {
  std::map<std::string, Host> wanted;
  for (const Host& host : hosts) wanted.try_emplace(net::to_string(host.address), host);
  Change change;
  for (auto member = members_.begin(); member != members_.end();) {
    const auto stays = wanted.find(member->first);
    if (stays != wanted.end() && stays->second == member->second.host) {
      ++member;
      continue;
    }
    change.leave.push_back(member->first);
    member = members_.erase(member);
  }
  for (const Host& host : hosts) {
    const std::string address = net::to_string(host.address);
    if (members_.contains(address)) continue;
    const unsigned place = one_at_a_time_ ? free_place(host.priority) : 0;
    members_.emplace(address, Member{host, place});
    Host& joins = change.join.emplace_back(host);
    if (one_at_a_time_) joins.priority = reserve_priority(host.priority, place);
  }
  return change;
}

/// Behind all others; after very many of them, in a gap.
unsigned EndpointSet::free_place(unsigned priority) const {
  std::set<unsigned> taken;
  for (const auto& [address, member] : members_)
    if (member.host.priority == priority) taken.insert(member.place);
  if (taken.empty()) return 0;
  if (*taken.rbegin() < last_place) return *taken.rbegin() + 1;
  unsigned place = 0;
  while (taken.contains(place)) ++place;
  return place;
}

}  // namespace windlass::app
