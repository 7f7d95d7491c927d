#include "base/bytes.h"

#include <algorithm>

namespace windlass::base {

char* ByteQueue::prepare(std::size_t count) {
  if (count > capacity_ - end_) {
    const std::size_t held = size();
    if (count <= capacity_ - held && held <= capacity_ / 2) {
      std::memmove(data_.get(), data_.get() + begin_, held);
    } else {
      const std::size_t capacity = std::max<std::size_t>({held + count, capacity_ * 2, 1024});
      auto data = std::make_unique_for_overwrite<char[]>(capacity);
      if (held > 0) std::memcpy(data.get(), data_.get() + begin_, held);
      data_ = std::move(data);
      capacity_ = capacity;
    }
    begin_ = 0;
    end_ = held;
  }
  return data_.get() + end_;
}

void ByteQueue::shrink(std::size_t keep) {
  if (capacity_ <= keep || size() > keep) return;
  const std::size_t held = size();
  std::unique_ptr<char[]> data;
  if (keep > 0) data = std::make_unique_for_overwrite<char[]>(keep);
  if (held > 0) std::memcpy(data.get(), data_.get() + begin_, held);
  data_ = std::move(data);
  capacity_ = keep;
  begin_ = 0;
  end_ = held;
}

}  // namespace windlass::base
