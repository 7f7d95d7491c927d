// A file system in memory, with what following files has to cope with: inodes that are used again, names that move,
// files that are deleted while they are open.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "input/file_system.h"

namespace windlass::input {

class MemoryFiles final : public FileSystem {
 public:
  struct Node {
    std::uint64_t inode = 0;
    std::int64_t born = 0;
    std::int64_t modified = 0;
    std::uint64_t links = 0;
    std::string content;
  };

  std::uint64_t device = 1;
  /// Whether times of birth are known.
  bool births = true;
  /// Called before each read of content, with the path under which the file was opened.
  std::function<void(const std::string& path)> before_read;
  /// Called after a read of content, before anything else is asked.
  std::function<void(const std::string& path)> after_read;
  std::size_t open_files = 0;
  std::size_t most_open_files = 0;
  std::size_t opens = 0;

  // What the world does to files.
  void append(const std::string& path, std::string_view text) {
    Node& node = at(path);
    node.content += text;
    node.modified = ++clock_;
  }
  void truncate(const std::string& path, std::size_t size = 0) {
    Node& node = at(path);
    node.content.resize(size);
    node.modified = ++clock_;
  }
  void rename(const std::string& from, const std::string& to) {
    const std::shared_ptr<Node> node = names_.at(from);
    names_.erase(from);
    remove(to);
    names_[to] = node;
  }
  void copy(const std::string& from, const std::string& to) {
    const std::string content = names_.at(from)->content;
    remove(to);
    append(to, content);
  }
  void remove(const std::string& path) {
    const auto found = names_.find(path);
    if (found == names_.end()) return;
    --found->second->links;
    names_.erase(found);
  }
  void link(const std::string& path, const std::string& target) { links_[path] = target; }
  /// The next new file gets this inode.
  void reuse_inode(std::uint64_t inode) { next_inode_ = inode; }
  std::uint64_t inode_of(const std::string& path) const { return names_.at(path)->inode; }
  const std::string& content_of(const std::string& path) const { return names_.at(path)->content; }
  std::int64_t now() const { return clock_; }

  // FileSystem.
  std::error_code status(const std::string& path, FileStatus& to) override {
    const std::shared_ptr<Node> node = find(path);
    if (!node) return std::make_error_code(std::errc::no_such_file_or_directory);
    to = status_of(*node);
    return {};
  }
  bool is_link(const std::string& path) override { return links_.contains(path); }
  std::error_code list(const std::string& directory, std::vector<DirectoryEntry>& to) override {
    const std::string prefix = directory == "/" ? "/" : directory + '/';
    const auto add = [&](const std::string& path, std::uint64_t inode, DirectoryEntry::Kind kind) {
      if (!path.starts_with(prefix)) return;
      const std::string rest = path.substr(prefix.size());
      const std::string name = rest.substr(0, rest.find('/'));
      if (name.size() < rest.size()) kind = DirectoryEntry::Kind::directory;
      const auto known = [&](const DirectoryEntry& entry) { return entry.name == name; };
      if (std::ranges::none_of(to, known)) to.push_back({name, inode, kind});
    };
    for (const auto& [path, node] : names_) add(path, node->inode, DirectoryEntry::Kind::file);
    for (const auto& [path, target] : links_) add(path, 0, DirectoryEntry::Kind::link);
    return {};
  }
  std::error_code open(const std::string& path, std::unique_ptr<OpenFile>& to) override {
    const std::shared_ptr<Node> node = find(path);
    if (!node) return std::make_error_code(std::errc::no_such_file_or_directory);
    to = std::make_unique<Handle>(*this, path, node);
    return {};
  }

 private:
  class Handle final : public OpenFile {
   public:
    Handle(MemoryFiles& files, std::string path, std::shared_ptr<Node> node)
        : files_(files), path_(std::move(path)), node_(std::move(node)) {
      files_.most_open_files = std::max(files_.most_open_files, ++files_.open_files);
      ++files_.opens;
    }
    ~Handle() override { --files_.open_files; }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;

    std::error_code status(FileStatus& to) override {
      to = files_.status_of(*node_);
      return {};
    }
    std::error_code read(std::uint64_t offset, char* to, std::size_t size, std::size_t& got) override {
      if (files_.before_read) files_.before_read(path_);
      const std::string& content = node_->content;
      const std::size_t begin = std::min<std::size_t>(offset, content.size());
      got = std::min(size, content.size() - begin);
      std::copy_n(content.data() + begin, got, to);
      if (files_.after_read) files_.after_read(path_);
      return {};
    }

   private:
    MemoryFiles& files_;
    std::string path_;
    std::shared_ptr<Node> node_;
  };

  Node& at(const std::string& path) {
    if (const std::shared_ptr<Node> node = find(path)) return *node;
    const auto node = std::make_shared<Node>();
    node->inode = next_inode_ != 0 ? std::exchange(next_inode_, 0) : ++last_inode_;
    node->born = node->modified = ++clock_;
    node->links = 1;
    names_[path] = node;
    return *node;
  }
  std::shared_ptr<Node> find(const std::string& path) const {
    const auto link = links_.find(path);
    const auto found = names_.find(link == links_.end() ? path : link->second);
    return found == names_.end() ? nullptr : found->second;
  }
  FileStatus status_of(const Node& node) const {
    return {{device, node.inode}, node.content.size(), births ? node.born : 0, node.modified, node.links, true};
  }

  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::string> links_;
  std::uint64_t last_inode_ = 100;
  std::uint64_t next_inode_ = 0;
  std::int64_t clock_ = 1'000'000'000'000'000'000;
};

}  // namespace windlass::input
