// Lumberjack version 2: from events to bytes.
#pragma once

#include <cstdint>
#include <optional>

#include <windlass/batch.h>

#include "base/bytes.h"
#include "wire/deflate.h"

namespace windlass::wire::lumberjack {

/// Writes windows: a W frame, then one J frame an event, numbered from 1; compressed, the J frames stand in one C
/// frame. Keeps its compression state and a block of scratch memory from one window to the next.
class WindowEncoder {
 public:
  /// `compression_level`: 0 for none, else 1 to 9 as in Deflater.
  explicit WindowEncoder(int compression_level);

  /// Appends the batch as one window. The batch is not empty. Without compression the frames are built in place; with
  /// it, events pass through the scratch block, so that beyond the output itself no more than 64 KiB are held.
  void encode(const Batch& batch, base::ByteQueue& out);

 private:
  void encode_compressed(const Batch& batch, base::ByteQueue& out);

  std::optional<Deflater> deflater_;
  base::ByteQueue scratch_;
};

/// Appends an A frame.
void encode_ack(std::uint32_t sequence, base::ByteQueue& out);

}  // namespace windlass::wire::lumberjack
