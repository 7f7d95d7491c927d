// Bytes on their way to and from the wire.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace windlass::base {

inline void store_be32(void* to, std::uint32_t value) {
  value = __builtin_bswap32(value);
  std::memcpy(to, &value, sizeof value);
}

inline std::uint32_t load_be32(const void* from) {
  std::uint32_t value;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap32(value);
}

inline void store_be64(void* to, std::uint64_t value) {
  value = __builtin_bswap64(value);
  std::memcpy(to, &value, sizeof value);
}

inline std::uint64_t load_be64(const void* from) {
  std::uint64_t value;
  std::memcpy(&value, from, sizeof value);
  return __builtin_bswap64(value);
}

/// A queue of bytes in one piece of memory: written at the back, consumed at the front. Memory is not zeroed, and is
/// kept until shrink(). Used for what waits to be sent and for what was received but not yet understood.
class ByteQueue {
 public:
  /// Room for `count` bytes at the back, to be written and then committed. Invalidates earlier pointers and views.
  char* prepare(std::size_t count);
  void commit(std::size_t count) { end_ += count; }
  void append(std::string_view bytes) {
    if (bytes.empty()) return;  // it may point to nothing, which memcpy must not be given
    std::memcpy(prepare(bytes.size()), bytes.data(), bytes.size());
    commit(bytes.size());
  }

  std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
  char* data() { return data_.get() + begin_; }
  std::size_t size() const { return end_ - begin_; }
  bool empty() const { return begin_ == end_; }
  std::size_t capacity() const { return capacity_; }

  void consume(std::size_t count) {
    begin_ += count;
    if (begin_ == end_) begin_ = end_ = 0;
  }
  /// Forgets the bytes, keeps the memory.
  void clear() { begin_ = end_ = 0; }
  /// Gives memory back when more than `keep` bytes of it are held without need.
  void shrink(std::size_t keep);

 private:
  std::unique_ptr<char[]> data_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t capacity_ = 0;
};

}  // namespace windlass::base
