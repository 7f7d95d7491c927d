// A shipper that follows files of a file system in memory, and that crashes and starts again when a test wants it to.
#pragma once

#include <deque>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <windlass/error.h>

#include "input/file_follower.h"
#include "input/memory_files.h"
#include "input/registry.h"

namespace windlass::input {

class MemoryStorage final : public RegistryStorage {
 public:
  std::string bytes;
  std::string aside;
  /// The disk is full: so many more bytes fit.
  std::optional<std::size_t> room;
  bool unreadable = false;

  std::error_code read(std::string& to) override {
    if (unreadable) return std::make_error_code(std::errc::io_error);
    to = bytes;
    return {};
  }
  std::error_code append(std::string_view more) override {
    const std::size_t fits = room ? std::min(*room, more.size()) : more.size();
    bytes += more.substr(0, fits);
    if (room) *room -= fits;
    return fits == more.size() ? std::error_code() : std::make_error_code(std::errc::no_space_on_device);
  }
  std::error_code replace(std::string_view all) override {
    if (room && *room < all.size()) return std::make_error_code(std::errc::no_space_on_device);
    bytes = all;
    return {};
  }
  std::error_code keep_aside() override {
    aside = bytes;
    return {};
  }
};

class FollowedWorld {
 public:
  struct Event {
    std::string id;
    std::string path;
    std::string text;
    bool acked = false;
  };

  MemoryFiles files;
  MemoryStorage storage;
  FileFollower::Options options;
  std::vector<FollowedPaths> inputs;
  std::vector<Event> events;  ///< published, in order, of all runs
  std::vector<std::string> notes;
  /// Pieces are acknowledged as soon as they are published.
  bool ack_at_once = true;
  /// What the publisher says instead of taking anything.
  std::error_code refusal;
  std::size_t largest_event = 1 << 30;

  explicit FollowedWorld(std::vector<std::string> patterns) {
    inputs.emplace_back();
    for (const std::string& pattern : patterns) inputs[0].paths.emplace_back(pattern);
  }

  FileFollower& follower() {
    if (!follower_) start();
    return *follower_;
  }

  /// Looks at everything and reads all that there is.
  void look() {
    follower().scan(now());
    work();
  }
  void work() {
    while (follower().work(now()))
      if (ack_at_once) ack_all();
  }
  void pass(base::Duration time) {
    passed_ += time;
    follower().poll(now());
    work();
  }
  std::error_code save() {
    FileFollower::Changes changes = follower().take_changes();
    return registry_->save(changes.changed, changes.removed);
  }
  /// The shipper is gone, and with it all that it did not save.
  void crash() {
    follower_.reset();
    pieces_.clear();
  }
  /// The shipper ends in good order, with all that was acknowledged.
  void stop() {
    EXPECT_FALSE(save());
    crash();
  }

  std::size_t pieces() const { return pieces_.size(); }
  /// Acknowledges the piece at this index among those that are not yet.
  void ack(std::size_t index = 0) {
    const auto piece = pieces_.begin() + static_cast<std::ptrdiff_t>(index);
    for (const std::size_t event : piece->events) events[event].acked = true;
    follower().settle(piece->token);
    pieces_.erase(piece);
  }
  void ack_all() {
    while (!pieces_.empty()) ack();
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Event& event : events) result.push_back(event.text);
    return result;
  }
  std::set<std::string> distinct_ids() const {
    std::set<std::string> result;
    for (const Event& event : events) result.insert(event.id);
    return result;
  }
  /// Texts by id; fails where one id stands for two texts.
  std::vector<std::string> deduplicated() const {
    std::map<std::string, std::string> seen;
    std::vector<std::string> result;
    for (const Event& event : events) {
      const auto [at, is_new] = seen.emplace(event.id, event.text);
      if (is_new) result.push_back(event.text);
      EXPECT_EQ(at->second, event.text) << "one id for two lines: " << event.id;
    }
    return result;
  }
  Moment now() const { return {base::Time() + passed_, files.now() + passed_.count()}; }
  const Registry& registry() const { return *registry_; }

 private:
  struct Encoder final : LineEncoder {
    std::string path;
    std::string identity;
    void begin(const std::string& of_path, std::uint64_t of_identity) override {
      path = of_path;
      identity = fmt::format("{:016x}", of_identity);
    }
    bool encode(const LineCutter::Line& line, EventBuffer& to) override {
      if (line.text == "refuse me") return false;
      to.append(fmt::format("{}-{}|{}|{}", identity, line.offset, path, line.text));
      return true;
    }
  };

  struct Door final : Publisher {
    FollowedWorld& world;
    explicit Door(FollowedWorld& of) : world(of) {}
    std::error_code publish(EventBuffer&& piece, std::uint64_t token) override { return world.take(piece, token); }
  };

  struct Piece {
    std::uint64_t token;
    std::vector<std::size_t> events;
  };

  void start() {
    registry_ = std::make_unique<Registry>(storage);
    loaded = registry_->load();
    follower_ = std::make_unique<FileFollower>(
        files, encoder_, door_, inputs, options, [this] { save(); },
        [this](const Note& note) { notes.push_back(note.text); });
    for (const auto& [identity, entry] : registry_->entries()) follower_->restore(entry);
  }

  std::error_code take(EventBuffer& buffer, std::uint64_t token) {
    if (refusal) return refusal;
    if (buffer.bytes() > largest_event) return make_error_code(errc::too_large);
    Piece piece{token, {}};
    for (std::size_t index = 0; index < buffer.size(); ++index) {
      const std::string event(buffer[index]);
      const auto first = event.find('|');
      const auto second = event.find('|', first + 1);
      piece.events.push_back(events.size());
      events.push_back(
          {event.substr(0, first), event.substr(first + 1, second - first - 1), event.substr(second + 1), false});
    }
    EventBuffer taken = std::move(buffer);
    pieces_.push_back(std::move(piece));
    return {};
  }

 public:
  Registry::Loaded loaded;

 private:
  Encoder encoder_;
  Door door_{*this};
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<FileFollower> follower_;
  std::deque<Piece> pieces_;
  base::Duration passed_{0};
};

/// A line that is unlike any other, of about 40 bytes.
inline std::string numbered(int number) {
  return fmt::format("2026-01-02T03:04:{:06} this is line {:06}", number, number);
}
inline std::string numbered_lines(int first, int last) {
  std::string text;
  for (int number = first; number < last; ++number) text += numbered(number) + '\n';
  return text;
}
inline std::vector<std::string> numbered_texts(int first, int last) {
  std::vector<std::string> texts;
  for (int number = first; number < last; ++number) texts.push_back(numbered(number));
  return texts;
}

}  // namespace windlass::input
