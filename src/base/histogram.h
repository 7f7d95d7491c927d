// Quantiles of durations in a fixed amount of memory.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstdint>

namespace windlass::base {

/// Counts durations in buckets whose width is a sixteenth of their power of two, so that a quantile is off by 6 % at
/// most.
class Histogram {
 public:
  void add(std::chrono::nanoseconds duration) {
    const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(0, duration.count()));
    ++buckets_[bucket_of(value)];
    ++count_;
    max_ = std::max(max_, duration);
  }

  std::uint64_t count() const { return count_; }
  std::chrono::nanoseconds max() const { return max_; }

  /// The upper edge of the bucket in which the value at `share` (0 to 1) of all lies, never above max().
  std::chrono::nanoseconds quantile(double share) const {
    if (count_ == 0) return std::chrono::nanoseconds(0);
    const auto wanted =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(share * static_cast<double>(count_))));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
      seen += buckets_[bucket];
      if (seen >= wanted)
        return std::min(max_, std::chrono::nanoseconds(static_cast<std::int64_t>(upper_edge(bucket))));
    }
    return max_;
  }

  void merge(const Histogram& other) {
    for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) buckets_[bucket] += other.buckets_[bucket];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
  }

 private:
  static constexpr unsigned fraction_bits = 4;

  static std::size_t bucket_of(std::uint64_t value) {
    if (value < (1u << fraction_bits)) return value;
    const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - 1 - fraction_bits;
    return ((shift + 1) << fraction_bits) + ((value >> shift) & ((1u << fraction_bits) - 1));
  }
  static std::uint64_t upper_edge(std::size_t bucket) {
    if (bucket < (1u << fraction_bits)) return bucket;
    const unsigned shift = static_cast<unsigned>(bucket >> fraction_bits) - 1;
    const std::uint64_t mantissa = (bucket & ((1u << fraction_bits) - 1)) + (1u << fraction_bits);
    return ((mantissa + 1) << shift) - 1;
  }

  std::array<std::uint32_t, (64 - fraction_bits + 1) << fraction_bits> buckets_{};
  std::uint64_t count_ = 0;
  std::chrono::nanoseconds max_{0};
};

}  // namespace windlass::base
