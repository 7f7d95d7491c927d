// Files that are written, rotated and deleted, and a shipper that crashes at any moment, by seed.
#include <gtest/gtest.h>

#include "base/random.h"
#include "input/followed_world.h"

namespace windlass::input {
namespace {

class Story {
 public:
  explicit Story(std::uint64_t seed) : random_(seed), world_({"/log/*.log*"}) {
    world_.ack_at_once = false;
    world_.options.piece_events = 1 + random_.below(5);
    world_.options.turn_bytes = 100 + random_.below(2000);
    world_.options.lines.block_bytes = 50 + random_.below(1000);
    world_.options.max_open_files = 1 + random_.below(4);
    world_.files.births = random_.chance(0.7);
    full_disks_ = random_.chance(0.5);
    banner_ = random_.chance(0.3) ? std::string(random_.below(200), '=') + '\n' : std::string();
  }

  void run() {
    for (int step = 0; step < 120; ++step) act();
    world_.storage.room.reset();
    finish_half_lines();
    for (int round = 0; round < 3; ++round) {
      world_.look();
      world_.ack_all();
      world_.pass(std::chrono::seconds(10));
      world_.ack_all();
    }
    EXPECT_FALSE(world_.save());
    check();
    // Another run has nothing to do.
    world_.crash();
    const std::size_t before = world_.events.size();
    world_.look();
    world_.pass(std::chrono::seconds(10));
    EXPECT_EQ(world_.events.size(), before);
  }

 private:
  std::string log() { return fmt::format("/log/{}.log", random_.below(3)); }

  void act() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
        return write(log());
      case 3:
        return rotate_by_rename(log());
      case 4:
        return rotate_by_copy(log());
      case 5:
        return world_.follower().scan(world_.now());
      case 6:
      case 7:
        if (world_.follower().work(world_.now()) && random_.chance(0.5)) world_.work();
        return;
      case 8:
      case 9:
        while (world_.pieces() > 0 && random_.chance(0.8)) world_.ack(random_.below(world_.pieces()));
        return;
      case 10:
        if (full_disks_ && random_.chance(0.1)) world_.storage.room = random_.below(2000);
        if (random_.chance(0.2)) world_.storage.room.reset();
        return static_cast<void>(world_.save());
      default:
        if (random_.chance(0.3)) world_.crash();
    }
  }

  void write(const std::string& path) {
    std::string& half = halves_[path];
    std::string text = half;
    half.clear();
    if (!banner_.empty() && !started_.contains(path)) text += banner_;
    // Copies are recognized by their first bytes, which had better be there.
    const std::uint64_t least = started_.contains(path) ? 0 : 8;
    started_.insert(path);
    for (auto lines = least + random_.below(20); lines > 0; --lines) text += numbered(next_++) + '\n';
    if (random_.chance(0.3)) {
      const std::string line = numbered(next_++) + '\n';
      const auto cut = random_.below(line.size());
      text += line.substr(0, cut);
      half = line.substr(cut);
    }
    if (!text.empty()) world_.files.append(path, text);
  }

  bool can_rotate(const std::string& path) {
    // A shorter file is too short to recognize a copy of it.
    FileStatus status;
    return !world_.files.status(path, status) && status.size >= 2 * fingerprint_bytes && halves_[path].empty();
  }
  void rotate_by_rename(const std::string& path) {
    if (!can_rotate(path)) return;
    shift(path);
    world_.files.rename(path, path + ".1");
    started_.erase(path);
  }
  void rotate_by_copy(const std::string& path) {
    // Where the registry cannot be written to, there is nothing by which a copy could be known after a crash.
    if (full_disks_ || !can_rotate(path)) return;
    // A copy is recognized if its original was seen before.
    world_.look();
    shift(path);
    // It may be found while it is empty, or in part.
    const std::string& content = world_.files.content_of(path);
    const std::size_t part = fingerprint_bytes + random_.below(content.size() - fingerprint_bytes);
    for (const auto& [begin, end] : {std::pair<std::size_t, std::size_t>{0, 0}, {0, part}, {part, content.size()}}) {
      world_.files.append(path + ".1", std::string_view(content).substr(begin, end - begin));
      if (random_.chance(0.3)) world_.follower().scan(world_.now());
      if (random_.chance(0.3)) world_.follower().work(world_.now());
      if (random_.chance(0.3)) world_.crash();
    }
    if (random_.chance(0.5)) world_.look();
    world_.files.truncate(path);
    started_.erase(path);
  }
  void shift(const std::string& path) {
    FileStatus status;
    for (int index = 30; index > 0; --index)
      if (!world_.files.status(fmt::format("{}.{}", path, index), status))
        world_.files.rename(fmt::format("{}.{}", path, index), fmt::format("{}.{}", path, index + 1));
  }
  void finish_half_lines() {
    for (auto& [path, half] : halves_)
      if (!half.empty()) world_.files.append(path, half);
  }

  void check() {
    std::map<std::string, std::set<std::string>> ids;
    for (const FollowedWorld::Event& event : world_.events) ids[event.text].insert(event.id);
    for (int number = 0; number < next_; ++number) {
      const auto& of_line = ids[numbered(number)];
      ASSERT_FALSE(of_line.empty()) << "line " << number << " is missing";
      ASSERT_EQ(of_line.size(), 1u) << "line " << number << " came with several ids";
    }
    world_.deduplicated();
  }

  base::Random random_;
  FollowedWorld world_;
  bool full_disks_ = false;
  std::string banner_;
  std::map<std::string, std::string> halves_;
  std::set<std::string> started_;
  int next_ = 0;
};

TEST(Crashes, EachLineArrivesAndNoneTwiceById) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    Story(seed).run();
    if (testing::Test::HasFailure()) return;
  }
}

}  // namespace
}  // namespace windlass::input
