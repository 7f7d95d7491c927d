#include "queue/simulated_disk.h"

#include <algorithm>
#include <cstring>

#include <windlass/error.h>

namespace windlass::queue {
namespace {

std::error_code gone() {
  return std::make_error_code(std::errc::io_error);
}

}  // namespace

class SimulatedFile final : public File {
 public:
  SimulatedFile(Disk& disk, std::shared_ptr<Disk::Node> node) : disk_(disk), node_(std::move(node)) {}

  std::error_code size(std::uint64_t& bytes) override {
    bytes = node_->current.size();
    return {};
  }
  std::error_code read(std::uint64_t offset, std::span<char> to, std::size_t& got) override {
    const std::string& bytes = node_->current;
    got = offset >= bytes.size() ? 0 : std::min(to.size(), bytes.size() - static_cast<std::size_t>(offset));
    std::copy_n(bytes.data() + std::min<std::size_t>(offset, bytes.size()), got, to.data());
    return {};
  }
  std::error_code write(std::uint64_t offset, std::span<const std::string_view> pieces) override {
    std::string bytes;
    for (const std::string_view piece : pieces) bytes += piece;
    return put({offset, std::move(bytes), false});
  }
  std::error_code zero(std::uint64_t offset, std::uint64_t bytes) override {
    return put({offset, std::string(bytes, '\0'), false});
  }
  std::error_code resize(std::uint64_t bytes) override { return put({bytes, {}, true}); }
  std::error_code sync() override {
    if (const auto error = disk_.step()) return error;
    if (disk_.goes_down_now()) return gone();
    if (disk_.fail_syncs) {
      // As Linux does: what could not be written is taken for written, and is gone.
      node_->pending.clear();
      return std::make_error_code(std::errc::io_error);
    }
    node_->durable = node_->current;
    node_->pending.clear();
    return {};
  }

 private:
  std::error_code put(Disk::Write write) {
    if (const auto error = disk_.step()) return error;
    std::error_code error;
    const std::uint64_t end = write.offset + write.bytes.size();
    if (!write.resize && end > node_->current.size()) {
      const std::uint64_t more = end - node_->current.size();
      const std::uint64_t room = disk_.capacity - std::min(disk_.capacity, disk_.used());
      if (more > room) {
        write.bytes.resize(write.bytes.size() - std::min<std::uint64_t>(write.bytes.size(), more - room));
        error = std::make_error_code(std::errc::no_space_on_device);
      }
    }
    Disk::apply(node_->current, write);
    node_->pending.push_back(std::move(write));
    return disk_.goes_down_now() ? gone() : error;
  }

  Disk& disk_;
  std::shared_ptr<Disk::Node> node_;
};

class SimulatedStorage final : public Storage {
 public:
  explicit SimulatedStorage(Disk& disk) : disk_(disk) {}
  ~SimulatedStorage() override {
    if (has_lock_) disk_.locked_ = false;
  }

  std::error_code lock() override {
    if (disk_.locked_) return errc::queue_in_use;
    return disk_.locked_ = has_lock_ = true, std::error_code();
  }
  std::error_code list(std::vector<std::string>& names) override {
    names = disk_.list();
    return {};
  }
  std::error_code open(const std::string& name, Open how, std::unique_ptr<File>& file) override {
    const auto found = disk_.names_.find(name);
    if (how == Open::create) {
      if (const auto error = disk_.step()) return error;
      const auto node = std::make_shared<Disk::Node>();
      change([name, node](Disk::Names& names) { names[name] = node; });
      if (disk_.goes_down_now()) return gone();
      file = std::make_unique<SimulatedFile>(disk_, node);
      return {};
    }
    if (disk_.down_) return gone();
    if (found == disk_.names_.end()) return std::make_error_code(std::errc::no_such_file_or_directory);
    if (how == Open::to_write && disk_.read_only) return std::make_error_code(std::errc::read_only_file_system);
    file = std::make_unique<SimulatedFile>(disk_, found->second);
    return {};
  }
  std::error_code rename(const std::string& from, const std::string& to) override {
    if (const auto error = disk_.step()) return error;
    if (!disk_.has(from)) return std::make_error_code(std::errc::no_such_file_or_directory);
    change([from, to](Disk::Names& names) {
      if (const auto found = names.find(from); found != names.end()) {
        names[to] = found->second;
        names.erase(from);
      }
    });
    return disk_.goes_down_now() ? gone() : std::error_code();
  }
  std::error_code remove(const std::string& name) override {
    if (const auto error = disk_.step()) return error;
    if (!disk_.has(name)) return std::make_error_code(std::errc::no_such_file_or_directory);
    change([name](Disk::Names& names) { names.erase(name); });
    return disk_.goes_down_now() ? gone() : std::error_code();
  }
  std::error_code sync_names() override {
    if (const auto error = disk_.step()) return error;
    if (disk_.goes_down_now()) return gone();
    disk_.durable_names_ = disk_.names_;
    disk_.pending_names_.clear();
    return {};
  }

 private:
  void change(std::function<void(Disk::Names&)> how) {
    how(disk_.names_);
    disk_.pending_names_.push_back(std::move(how));
  }

  Disk& disk_;
  bool has_lock_ = false;
};

std::unique_ptr<Storage> Disk::storage() {
  return std::make_unique<SimulatedStorage>(*this);
}

std::error_code Disk::step() {
  if (down_) return gone();
  if (read_only) return std::make_error_code(std::errc::read_only_file_system);
  ++steps;
  return {};
}

bool Disk::goes_down_now() {
  return down_ = steps == crash_at;
}

void Disk::apply(std::string& content, const Write& write) {
  if (write.resize) return content.resize(static_cast<std::size_t>(write.offset));
  if (write.bytes.empty()) return;
  const auto offset = static_cast<std::size_t>(write.offset);
  content.resize(std::max(content.size(), offset + write.bytes.size()));
  content.replace(offset, write.bytes.size(), write.bytes);
}

void Disk::come_back(Fate fate, std::uint64_t seed) {
  base::Random random(seed);
  if (fate == Fate::lost || fate == Fate::mixed) {
    names_ = durable_names_;
    const std::size_t arrived = fate == Fate::lost ? 0 : random.below(pending_names_.size() + 1);
    for (std::size_t index = 0; index < arrived; ++index) pending_names_[index](names_);
  }
  for (auto& [name, node] : names_) {
    if (fate == Fate::kept) continue;
    node->current = node->durable;
    for (Write& write : node->pending) {
      if (fate == Fate::lost) continue;
      if (fate == Fate::torn) {
        write.bytes.resize(random.below(write.bytes.size() + 1));
        apply(node->current, write);
        continue;
      }
      if (write.resize) {
        if (random.chance(0.5)) apply(node->current, write);
        continue;
      }
      for (std::size_t at = 0; at < write.bytes.size();) {
        const std::size_t next = std::min(write.bytes.size(), at + sector - (write.offset + at) % sector);
        if (random.chance(0.5)) apply(node->current, {write.offset + at, write.bytes.substr(at, next - at), false});
        at = next;
      }
    }
  }
  down_ = false;
  crash_at = ~std::uint64_t{0};
  settle();
}

void Disk::settle() {
  for (auto& [name, node] : names_) {
    node->durable = node->current;
    node->pending.clear();
  }
  durable_names_ = names_;
  pending_names_.clear();
}

std::vector<std::string> Disk::list() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : names_) names.push_back(name);
  return names;
}

void Disk::put(const std::string& name, std::string content) {
  names_[name] = std::make_shared<Node>();
  names_[name]->current = std::move(content);
}

std::uint64_t Disk::used() const {
  std::uint64_t bytes = 0;
  for (const auto& [name, node] : names_) bytes += node->current.size();
  return bytes;
}

Disk Disk::copy() const {
  Disk other;
  for (const auto& [name, node] : names_) other.put(name, node->current);
  other.settle();
  return other;
}

}  // namespace windlass::queue
