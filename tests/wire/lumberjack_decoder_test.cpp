#include "wire/lumberjack_decoder.h"

#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"
#include "wire/lumberjack_encoder.h"

namespace windlass::wire::lumberjack {
namespace {

using test::batch_of;
using test::compressed_frame;
using test::cuts;
using test::frame;
using test::hex;
using test::in_pieces;
using test::json_frame;
using test::window_frame;

std::string deflated(std::string_view bytes) {
  Deflater deflater(9);
  base::ByteQueue out;
  deflater.write(bytes, out);
  deflater.finish(out);
  return std::string(out.view());
}

// Everything that a decoder says, one line a frame, and its complaint at the end.
std::vector<std::string> decode(std::string_view bytes, const std::vector<std::uint8_t>& sizes = {},
                                DecoderLimits limits = {}) {
  FrameDecoder decoder(limits);
  std::vector<std::string> said;
  in_pieces(bytes, sizes, [&](std::string_view piece) {
    decoder.feed(piece);
    while (const auto found = decoder.next()) {
      switch (found->kind) {
        case Frame::Kind::window:
          said.push_back("window of " + std::to_string(found->number));
          break;
        case Frame::Kind::event:
          said.push_back(std::to_string(found->number) + ": " + std::string(found->payload));
          break;
        case Frame::Kind::compressed_end:
          said.push_back("end of compression");
          break;
      }
    }
  });
  EXPECT_EQ(decoder.error(), decoder.error_detail().empty() ? std::error_code() : errc::protocol_error);
  if (decoder.error()) said.push_back(decoder.error_detail());
  return said;
}
std::string complaint(std::string_view bytes, DecoderLimits limits = {}) {
  const auto said = decode(bytes, {}, limits);
  // However it is cut, the same is said.
  EXPECT_EQ(decode(bytes, {1}, limits), said);
  return said.empty() ? "" : said.back();
}

using Said = std::vector<std::string>;

TEST(LumberjackDecoder, ReadsAWindowAndItsEvents) {
  EXPECT_EQ(decode(hex("32 57 00000002  32 4a 00000001 00000002 7b7d  32 4a 00000002 00000000")),
            (Said{"window of 2", "1: {}", "2: "}));
}

TEST(LumberjackDecoder, ReadsEventsOutOfACompressedFrame) {
  EXPECT_EQ(decode(window_frame(2) + compressed_frame(deflated(json_frame(1, "a") + json_frame(2, "b")))),
            (Said{"window of 2", "1: a", "2: b", "end of compression"}));
}

TEST(LumberjackDecoder, ReadsOnAfterACompressedFrame) {
  EXPECT_EQ(decode(window_frame(2) + compressed_frame(deflated(json_frame(1, "a"))) + json_frame(2, "b")),
            (Said{"window of 2", "1: a", "end of compression", "2: b"}));
}

RC_GTEST_PROP(LumberjackDecoder, ReadsWhatWasEncodedHoweverItWasCut, ()) {
  const auto events = *test::payloads();
  const int level = *rc::gen::inRange(0, 10);
  WindowEncoder encoder(level);
  base::ByteQueue out;
  Said expected;
  for (int window = 0; window < 2; ++window) {
    encoder.encode(batch_of(events), out);
    expected.push_back("window of " + std::to_string(events.size()));
    for (std::size_t i = 0; i < events.size(); ++i) expected.push_back(std::to_string(i + 1) + ": " + events[i]);
    if (level > 0) expected.push_back("end of compression");
  }
  RC_ASSERT(decode(out.view(), *cuts()) == expected);
}

RC_GTEST_PROP(LumberjackDecoder, SaysTheSameOfGarbageHoweverItIsCut, ()) {
  // Frames that begin well and go on with anything.
  const auto bytes = *rc::gen::container<std::string>(rc::gen::weightedElement<char>(
      {{6, '2'}, {3, 'W'}, {3, 'J'}, {2, 'C'}, {8, '\0'}, {2, '\1'}, {1, 'A'}, {1, '\xff'}}));
  RC_ASSERT(decode(bytes, *cuts()) == decode(bytes));
}

TEST(LumberjackDecoder, NeedsMoreOfAFrameThatIsCutShort) {
  const std::string bytes = window_frame(1) + json_frame(1, "abc");
  for (std::size_t length = 6; length < bytes.size(); ++length)
    EXPECT_EQ(decode(bytes.substr(0, length)), Said{"window of 1"}) << length;
}

TEST(LumberjackDecoder, TakesLargestSizesAndRefusesOneMore) {
  const DecoderLimits limits{
      .max_window_events = 10, .max_frame_bytes = 3, .max_compressed_bytes = 40, .max_inflated_bytes = 26};
  EXPECT_EQ(decode(window_frame(10), {}, limits), Said{"window of 10"});
  EXPECT_EQ(complaint(window_frame(11), limits), "a window of 11 events; at most 10 are accepted");
  EXPECT_EQ(decode(json_frame(1, "abc"), {}, limits), Said{"1: abc"});
  EXPECT_EQ(complaint(json_frame(1, "abcd"), limits), "an event of 4 bytes; at most 3 are accepted");
  EXPECT_EQ(complaint(frame('C', 41), limits), "a compressed frame of 41 bytes; at most 40 are accepted");
  EXPECT_EQ(decode(compressed_frame(deflated(json_frame(1, "abc") + json_frame(2, "abc"))), {}, limits),
            (Said{"1: abc", "2: abc", "end of compression"}));
  EXPECT_EQ(
      decode(compressed_frame(deflated(json_frame(1, "ab") + json_frame(2, "ab") + json_frame(3, ""))), {}, limits),
      (Said{"1: ab", "2: ab", "a compressed frame inflates to more than 26 bytes"}));
}

TEST(LumberjackDecoder, RefusesGiantSizesBeforeTheirBytesArrive) {
  EXPECT_EQ(complaint(window_frame(std::numeric_limits<std::uint32_t>::max())),
            "a window of 4294967295 events; at most 65536 are accepted");
  EXPECT_EQ(complaint(hex("32 4a 00000001 ffffffff")), "an event of 4294967295 bytes; at most 10485760 are accepted");
  EXPECT_EQ(complaint(frame('C', 0xffffffff)), "a compressed frame of 4294967295 bytes; at most 67108864 are accepted");
}

TEST(LumberjackDecoder, StopsABombAfterOnePieceOfIt) {
  // 100 MiB of an event that is announced with 1 MiB.
  const std::string bomb = deflated(frame('J', 1) + std::string("\0\x10\0\0", 4) + std::string(100 << 20, '\0'));
  FrameDecoder decoder({.max_inflated_bytes = std::size_t{2} << 20});
  decoder.feed(compressed_frame(bomb));
  const auto event = decoder.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(event->payload.size(), std::size_t{1} << 20);
  EXPECT_LT(decoder.buffered(), bomb.size() + 64 * 1024);
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.error_detail(), "a frame begins with 0x00; version '2' was expected");
}

TEST(LumberjackDecoder, RefusesACompressedFrameInsideACompressedFrame) {
  EXPECT_EQ(complaint(compressed_frame(deflated(compressed_frame(deflated(json_frame(1, "a")))))),
            "a frame of type 'C' inside a compressed frame; only 'J' (event) may stand there");
}

TEST(LumberjackDecoder, RefusesAWindowInsideACompressedFrame) {
  EXPECT_EQ(complaint(compressed_frame(deflated(window_frame(1) + json_frame(1, "a")))),
            "a frame of type 'W' inside a compressed frame; only 'J' (event) may stand there");
}

TEST(LumberjackDecoder, RefusesDamagedCompression) {
  std::string wrong_checksum = deflated(json_frame(1, "a"));
  wrong_checksum.back() ^= 1;
  EXPECT_EQ(decode(compressed_frame(wrong_checksum)), (Said{"1: a", "a compressed frame holds no sound zlib stream"}));
  EXPECT_EQ(complaint(compressed_frame("no zlib stream")), "a compressed frame holds no sound zlib stream");
  EXPECT_EQ(complaint(frame('C', 0)), "a compressed frame ends before its zlib stream does");
  const std::string whole = deflated(json_frame(1, "a"));
  EXPECT_EQ(complaint(compressed_frame(whole.substr(0, whole.size() - 1))),
            "a compressed frame ends before its zlib stream does");
  EXPECT_EQ(complaint(compressed_frame(deflated(json_frame(1, "abc").substr(0, 12)))),
            "the frames inside a compressed frame end inside a frame");
  EXPECT_EQ(complaint(compressed_frame(whole + "z")), "bytes follow the zlib stream in a compressed frame");
}

TEST(LumberjackDecoder, SaysWhatAStrangerSpokeInstead) {
  EXPECT_EQ(complaint("GET / HTTP/1.1\r\n\r\n"), "a frame begins with 'G'; version '2' was expected");
  EXPECT_EQ(complaint(hex("16 03 01")), "a frame begins with 0x16; version '2' was expected");
  EXPECT_EQ(complaint("1W"), "a frame begins with '1'; version '2' was expected");
  EXPECT_EQ(complaint("2D"), "a frame of type 'D' (key and value, of version 1); events must be 'J' (JSON)");
  EXPECT_EQ(complaint("2A"), "a frame of type 'A'; 'W' (window), 'J' (event) or 'C' (compressed) was expected");
}

TEST(LumberjackDecoder, SaysNothingMoreAfterAnError) {
  FrameDecoder decoder({});
  decoder.feed("X");
  EXPECT_FALSE(decoder.next());
  decoder.feed(window_frame(1));
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.error_detail(), "a frame begins with 'X'; version '2' was expected");
}

TEST(LumberjackDecoder, GivesMemoryBackAfterALargeEvent) {
  FrameDecoder decoder({});
  decoder.feed(json_frame(1, std::string(8 << 20, 'x')));
  EXPECT_TRUE(decoder.next());
  EXPECT_FALSE(decoder.next());
  EXPECT_EQ(decoder.buffered(), 0u);
  EXPECT_LE(decoder.memory(), std::size_t{512} << 10);
}

std::vector<std::uint32_t> acks(AckDecoder& decoder, std::string_view bytes, const std::vector<std::uint8_t>& sizes) {
  std::vector<std::uint32_t> found;
  in_pieces(bytes, sizes, [&](std::string_view piece) {
    while (const auto sequence = decoder.next(piece)) found.push_back(*sequence);
  });
  return found;
}

RC_GTEST_PROP(LumberjackDecoder, ReadsTheSameWhereMemoryIsGivenBackAtEachRest,
              (const std::vector<std::uint8_t>& sizes)) {
  const std::string bytes = window_frame(2) + json_frame(1, "{}") + json_frame(2, std::string(300, 'x')) +
                            window_frame(1) + compressed_frame(deflated(json_frame(1, "[]"))) + window_frame(3);
  FrameDecoder decoder({});
  std::vector<std::string> said;
  in_pieces(bytes, sizes, [&](std::string_view piece) {
    decoder.feed(piece);
    while (const auto found = decoder.next())
      said.push_back(std::to_string(found->number) + std::string(found->payload));
    decoder.release_memory();
    if (decoder.buffered() == 0 && !decoder.inside_compressed()) RC_ASSERT(decoder.memory() == 0u);
  });
  RC_ASSERT(said == (std::vector<std::string>{"2", "1{}", "2" + std::string(300, 'x'), "1", "1[]", "0", "3"}));
}

RC_GTEST_PROP(LumberjackAckDecoder, ReadsAcksHoweverTheyWereCut, (const std::vector<std::uint32_t>& sequences)) {
  base::ByteQueue out;
  for (const std::uint32_t sequence : sequences) encode_ack(sequence, out);
  AckDecoder decoder;
  RC_ASSERT(acks(decoder, out.view(), *cuts()) == sequences);
  RC_ASSERT(!decoder.error());
}

TEST(LumberjackAckDecoder, GivesTheAcksThatCameBeforeAnError) {
  AckDecoder decoder;
  EXPECT_EQ(acks(decoder, test::ack_frame(7) + "2J" + test::ack_frame(8), {3}), std::vector<std::uint32_t>{7});
  EXPECT_EQ(decoder.error(), errc::protocol_error);
  EXPECT_EQ(decoder.error_detail(), "an answer of type 'J'; 'A' (ack) was expected");
}

TEST(LumberjackAckDecoder, RefusesAnotherVersion) {
  AckDecoder decoder;
  EXPECT_EQ(acks(decoder, "HTTP/1.1 400 Bad Request", {}), std::vector<std::uint32_t>{});
  EXPECT_EQ(decoder.error_detail(), "an answer begins with 'H'; version '2' was expected");
}

}  // namespace
}  // namespace windlass::wire::lumberjack
