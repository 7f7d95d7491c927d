// Which endpoints take part, while hosts come and go.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config.h"

namespace windlass::app {

/// Turns lists of hosts into what joins and what leaves. A host whose address stands in the list several times counts
/// once, as it stands there first; one that is to be known by something else from now on leaves and joins.
class EndpointSet {
 public:
  /// `one_at_a_time`: hosts of one priority are each other's reserve: who joined earlier is preferred, and of those
  /// that joined together, who stands first in the list.
  explicit EndpointSet(bool one_at_a_time) : one_at_a_time_(one_at_a_time) {}

  struct Change {
    std::vector<std::string> leave;  ///< addresses; to be told before those that join
    std::vector<Host> join;          ///< with the priority that the balancer is to be told
    bool empty() const { return leave.empty() && join.empty(); }
  };
  /// These hosts are the set from now on.
  Change become(const std::vector<Host>& hosts);
  bool empty() const { return members_.empty(); }

 private:
  struct Member {
    Host host;
    unsigned place;
  };
  unsigned free_place(unsigned priority) const;

  bool one_at_a_time_;
  std::map<std::string, Member> members_;
};

}  // namespace windlass::app
