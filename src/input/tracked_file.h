// One file that is followed, and the set of them.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/time.h"
#include "input/ack_tracker.h"
#include "input/file_system.h"
#include "input/line_cutter.h"
#include "input/registry.h"

namespace windlass::input {

/// What one file held from its beginning on, for as long as it only grew: a generation of its content.
struct TrackedFile {
  std::uint32_t number = 0;  ///< for this run
  std::size_t input = 0;     ///< which input's rules hold for it
  FileEntry entry;           ///< without an identity while its first line is not complete
  std::string name;          ///< what it is called now
  LineCutter::Place place;   ///< what comes next
  AckTracker acks;
  std::unique_ptr<OpenFile> open;
  /// As it was when it was last looked at; of the end of what was read then.
  std::uint64_t seen_size = 0;
  std::int64_t seen_modified = -1;
  base::Time active{};         ///< when there was something to read for the last time
  std::uint64_t scan = 0;      ///< the last one that found it
  std::uint32_t recorded = 0;  ///< length of the fingerprint that the registry has
  bool queued = false;         ///< for a turn, or until it is recorded
  bool changed = false;        ///< its entry is not as the registry has it
  bool found_short = false;    ///< it was too short to be told from a copy of another one, and has no identity yet
  bool dismissed = false;      ///< no input wants it any more: remembered, not read
  bool failing = false;        ///< reading it failed, and that was told
  bool by_link = false;        ///< its name is a symbolic link
  base::Time next_poll{};

  std::list<std::uint32_t>::iterator open_place;  ///< among the open ones; only while it is open

  std::uint64_t unread() const { return seen_size > place.offset ? seen_size - place.offset : 0; }
  std::uint64_t undelivered() const { return seen_size > acks.position() ? seen_size - acks.position() : 0; }
};

/// Files by number, by what they are, by name, and by how they begin. References stay good until remove().
class FileTable {
 public:
  TrackedFile& add(FileKey key, std::string name);
  /// One that is lost from the beginning.
  TrackedFile& add_lost(FileKey key, std::string name);
  void remove(TrackedFile& file);

  TrackedFile* by_number(std::uint32_t number);
  /// The one that holds what this file holds now (lost ones are found by their fingerprints only).
  TrackedFile* by_key(FileKey key);
  TrackedFile* by_name(const std::string& name);
  std::vector<TrackedFile*> by_fingerprint(const Fingerprint& fingerprint);

  void rename(TrackedFile& file, const std::string& name);
  /// Its content is gone: another may have its key and its name.
  void lose(TrackedFile& file);
  /// A copy of it is what it is now.
  void move(TrackedFile& file, FileKey key, const std::string& name);
  void set_fingerprint(TrackedFile& file, const Fingerprint& fingerprint);

  std::size_t size() const { return files_.size(); }
  const std::unordered_map<std::uint32_t, std::unique_ptr<TrackedFile>>& all() const { return files_; }

 private:
  void forget_name(const TrackedFile& file);
  void forget_fingerprint(const TrackedFile& file);

  struct KeyHash {
    std::size_t operator()(const FileKey& key) const noexcept { return key.inode * 0x9e3779b97f4a7c15u + key.device; }
  };

  std::unordered_map<std::uint32_t, std::unique_ptr<TrackedFile>> files_;
  std::unordered_map<FileKey, std::uint32_t, KeyHash> keys_;
  std::unordered_map<std::string, std::uint32_t> names_;
  std::unordered_multimap<std::uint64_t, std::uint32_t> fingerprints_;  // whole ones
  std::uint32_t next_number_ = 1;
};

}  // namespace windlass::input
