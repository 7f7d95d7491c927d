#include "input/file_input.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "input/followed_world.h"
#include "support/temporary_directory.h"

namespace windlass::input {
namespace {

struct Encoder final : LineEncoder {
  void begin(const std::string&, std::uint64_t) override {}
  bool encode(const LineCutter::Line& line, EventBuffer& to) override {
    to.append(line.text);
    return true;
  }
};

/// Delivers each piece at once, and looks at what the registry has of the ones before.
struct Door final : Publisher {
  std::function<void(std::uint64_t token)> settle;
  std::function<std::uint64_t()> saved_position;
  std::vector<std::uint64_t> positions;

  std::error_code publish(EventBuffer&& events, std::uint64_t token) override {
    positions.push_back(saved_position());
    const EventBuffer taken = std::move(events);
    settle(token);
    return {};
  }
};

/// What a crash at this moment would leave.
std::uint64_t position_after_crash(MemoryStorage storage) {
  Registry registry(storage);
  registry.load();
  return registry.entries().empty() ? 0 : registry.entries().begin()->second.position;
}

TEST(FileInput, SavesPositionsBetweenThePiecesOfOneTurn) {
  const test::TemporaryDirectory directory;
  const std::string text = numbered_lines(0, 100);
  directory.write("app.log", text);
  MemoryStorage storage;
  Registry registry(storage);
  registry.load();
  Encoder encoder;
  Door door;
  std::vector<FollowedPaths> inputs(1);
  inputs[0].paths.emplace_back(directory.path().string() + "/*.log");
  FileInput::Options options;
  options.following.once = true;
  options.following.piece_events = 10;
  options.flush_interval = base::Duration(1);
  FileInput input(registry, encoder, door, std::move(inputs), options, {});
  door.settle = [&](std::uint64_t token) { input.settle(token); };
  door.saved_position = [&] { return position_after_crash(storage); };

  ASSERT_TRUE(input.run());
  ASSERT_EQ(door.positions.size(), 10u);
  for (std::size_t piece = 0; piece < 10; ++piece) EXPECT_EQ(door.positions[piece], piece * text.size() / 10);
  ASSERT_TRUE(input.finish());
  EXPECT_EQ(position_after_crash(storage), text.size());
}

}  // namespace
}  // namespace windlass::input
