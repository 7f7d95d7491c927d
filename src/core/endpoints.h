// The endpoints that workers belong to, and their record: who served others well, and when.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <unordered_map>

namespace windlass::core {

/// A configured endpoint, whose connections share its record. Never used again.
using EndpointId = std::uint64_t;

/// The endpoints, and the order in which they last acknowledged anything. Batches speak of endpoints that failed them,
/// so one of which every worker has left is remembered, and is the same when it comes back; but no more than the last
/// `most_left` of those, so that a set that changes for ever takes no more memory. One that is forgotten has no name
/// and has served nobody, and who comes back under its name is another one.
class Endpoints {
 public:
  static constexpr std::size_t most_left = 256;

  /// The id of the endpoint of this name. One without a name is an endpoint of its own.
  EndpointId meet(const std::string& name);
  /// It has one worker more.
  void joined(EndpointId endpoint);
  /// A worker of it has left.
  void left(EndpointId endpoint);
  const std::string& name(EndpointId endpoint) const;

  /// It acknowledged something.
  void served(EndpointId endpoint);
  /// A number that grows with each acknowledgement anywhere.
  std::uint64_t moment() const { return served_; }
  bool served_since(EndpointId endpoint, std::uint64_t moment) const;
  /// Those that are known.
  std::size_t size() const { return records_.size(); }

 private:
  struct Record {
    std::string name;
    std::uint64_t last_served = 0;
    std::size_t workers = 0;
  };

  std::unordered_map<EndpointId, Record> records_;
  std::deque<EndpointId> left_;  ///< without workers; who left first is in front
  EndpointId next_ = 0;
  std::uint64_t served_ = 0;
};

}  // namespace windlass::core
