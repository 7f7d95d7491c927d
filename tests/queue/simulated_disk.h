// A disk in memory that crashes when it is told to, and then keeps, loses or tears what was not synced.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "queue/storage.h"

namespace windlass::queue {

/// What becomes of the writes that were not synced.
enum class Fate {
  kept,   ///< as when only the process dies
  lost,   ///< none of them arrived
  torn,   ///< of each, only a first part arrived
  mixed,  ///< each sector on its own, and the names up to any point
};

class Disk {
 public:
  /// The calls so far; each that changes something counts.
  std::uint64_t steps = 0;
  /// The step in which it goes down: what that one was to write is under way, and nothing works any more.
  std::uint64_t crash_at = ~std::uint64_t{0};
  /// Bytes of all files together; beyond, there is no space.
  std::uint64_t capacity = ~std::uint64_t{0};
  bool read_only = false;
  bool fail_syncs = false;  ///< and forget what they were to sync

  std::unique_ptr<Storage> storage();
  void go_down() { down_ = true; }
  bool down() const { return down_; }
  /// It is up again after it has gone down.
  void come_back(Fate fate, std::uint64_t seed = 1);
  /// Everything is as it is now, on the medium.
  void settle();

  bool has(const std::string& name) const { return names_.contains(name); }
  std::vector<std::string> list() const;
  std::string& content(const std::string& name) { return names_.at(name)->current; }
  void put(const std::string& name, std::string content);
  void remove(const std::string& name) { names_.erase(name); }
  /// The same files on another disk, all of them synced.
  Disk copy() const;

 private:
  friend class SimulatedFile;
  friend class SimulatedStorage;
  static constexpr std::size_t sector = 16;  ///< small, so that small records can be torn

  struct Write {
    std::uint64_t offset = 0;
    std::string bytes;
    bool resize = false;  ///< to offset
  };
  struct Node {
    std::string current;
    std::string durable;
    std::vector<Write> pending;
  };
  using Names = std::map<std::string, std::shared_ptr<Node>>;

  std::error_code step();
  bool goes_down_now();
  static void apply(std::string& content, const Write& write);
  std::uint64_t used() const;

  Names names_;
  Names durable_names_;
  std::vector<std::function<void(Names&)>> pending_names_;
  bool down_ = false;
  bool locked_ = false;
};

}  // namespace windlass::queue
