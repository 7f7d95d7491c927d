// A registry of any bytes. Files are followed on from what it says, whatever that is, and what is saved then is read
// back.
//
// Input: a byte, of which the last bit says whether the lines get a first line and their checksums; then the lines.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "input.h"
#include "input/followed_world.h"

namespace {

using namespace windlass::input;
using windlass::fuzz::Input;
using windlass::fuzz::require;

std::string sealed(std::string_view lines) {
  std::string result = "windlass-positions 1\n";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    result += fmt::format("{:016x} {}\n", hash_of(line), line);
    lines.remove_prefix(std::min(line.size() + 1, lines.size()));
  }
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Input input(data, size);
  const bool seal = (input.byte() & 1) != 0;
  FollowedWorld world({"/log/*"});
  world.storage.bytes = seal ? sealed(input.rest()) : std::string(input.rest());
  const std::string before = world.storage.bytes;
  world.files.append("/log/a", numbered_lines(0, 30));
  world.files.append("/log/b", numbered_lines(30, 40));
  world.look();
  if (world.loaded.foreign || world.loaded.damaged_lines > 0)
    require(world.storage.aside == before, "it is kept aside");
  world.files.append("/log/a", numbered_lines(40, 50));
  world.files.truncate("/log/b");
  world.look();
  world.pass(std::chrono::seconds(10));
  world.look();

  require(!world.save(), "there is room");
  MemoryStorage copy = world.storage;
  Registry again(copy);
  require(again.load().damaged_lines == 0, "what is saved is whole");
  require(again.entries() == world.registry().entries(), "and is what was saved");
  return 0;
}
