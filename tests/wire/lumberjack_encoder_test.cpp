#include "wire/lumberjack_encoder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include "wire/inflate.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::wire::lumberjack {
namespace {

using test::batch_of;
using test::hex;

std::string encode(const Batch& batch, int compression_level) {
  WindowEncoder encoder(compression_level);
  base::ByteQueue out;
  encoder.encode(batch, out);
  return std::string(out.view());
}

// The frames inside a window of one C frame.
std::string decompressed(std::string_view window) {
  EXPECT_EQ(window.substr(6, 2), "2C");
  EXPECT_EQ(base::load_be32(window.data() + 8), window.size() - 12);
  std::string_view stream = window.substr(12);
  Inflater inflater(std::size_t{1} << 30);
  base::ByteQueue out;
  Inflater::Status status;
  while ((status = inflater.inflate(stream, out, 1 << 20)) == Inflater::Status::full) {
  }
  EXPECT_EQ(status, Inflater::Status::end);
  return std::string(out.view());
}

TEST(LumberjackWindow, IsItsSizeAndThenItsEventsNumberedFromOne) {
  EXPECT_EQ(encode(batch_of({"{}", "{\"a\":1}"}), 0), hex("32 57 00000002"
                                                          "32 4a 00000001 00000002 7b7d"
                                                          "32 4a 00000002 00000007 7b2261223a317d"));
}

TEST(LumberjackWindow, CarriesAnEmptyEventAndZeroBytesAsTheyAre) {
  EXPECT_EQ(encode(batch_of({"", std::string("\0\0", 2)}), 0),
            hex("32 57 00000002  32 4a 00000001 00000000  32 4a 00000002 00000002 0000"));
}

TEST(LumberjackWindow, KeepsItsSizeOutsideOfTheOneCompressedFrame) {
  const std::string window = encode(batch_of({"{}", "{\"a\":1}"}), 3);
  EXPECT_EQ(window.substr(0, 8), hex("32 57 00000002 32 43"));
  EXPECT_EQ(decompressed(window), encode(batch_of({"{}", "{\"a\":1}"}), 0).substr(6));
}

TEST(LumberjackWindow, IsTheSameWhereverTheBatchWasDrawnFrom) {
  Batch pieced = batch_of({"one", "two", "three"}).part(1, 2);
  pieced.append(batch_of({"four"}).slices().front());
  EXPECT_EQ(encode(pieced, 0), encode(batch_of({"two", "three", "four"}), 0));
}

TEST(LumberjackWindow, IsAppendedBehindWhatStillWaitsToBeSent) {
  WindowEncoder plain(0);
  WindowEncoder compressing(3);
  base::ByteQueue out;
  plain.encode(batch_of({"first"}), out);
  const std::string before(out.view());
  compressing.encode(batch_of({"second"}), out);
  EXPECT_EQ(out.view(), before + encode(batch_of({"second"}), 3));
}

RC_GTEST_PROP(LumberjackWindow, HoldsTheSameFramesCompressedOrNot, ()) {
  const auto events = *test::payloads();
  const Batch batch = batch_of(events);
  WindowEncoder encoder(*rc::gen::inRange(1, 10));
  for (int round = 0; round < 2; ++round) {
    base::ByteQueue out;
    encoder.encode(batch, out);
    RC_ASSERT(decompressed(out.view()) == encode(batch, 0).substr(6));
  }
}

TEST(LumberjackAck, IsOneNumber) {
  base::ByteQueue out;
  encode_ack(0, out);
  encode_ack(258, out);
  EXPECT_EQ(out.view(), hex("32 41 00000000  32 41 00000102"));
}

}  // namespace
}  // namespace windlass::wire::lumberjack
