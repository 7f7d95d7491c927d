#include "wire/deflate.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>
#include <zlib.h>

#include "wire/inflate.h"
#include "wire/lumberjack_bytes.h"

namespace windlass::wire {
namespace {

using Status = Inflater::Status;
using test::cuts;
using test::hex;
using test::in_pieces;
using test::payload;

constexpr std::size_t mebibyte = std::size_t{1} << 20;

std::string deflate(std::string_view bytes, int level = 3) {
  Deflater deflater(level);
  base::ByteQueue out;
  deflater.write(bytes, out);
  deflater.finish(out);
  return std::string(out.view());
}

// What zlib itself makes of a stream; empty for a stream that it refuses.
std::string inflate_by_zlib(std::string_view stream, std::size_t expected) {
  std::string bytes(expected + 1, '\0');
  uLongf length = bytes.size();
  const int result = uncompress(reinterpret_cast<Bytef*>(bytes.data()), &length,
                                reinterpret_cast<const Bytef*>(stream.data()), stream.size());
  bytes.resize(result == Z_OK ? length : 0);
  return bytes;
}

struct Inflated {
  Status status = Status::need_input;
  std::string bytes;
  friend bool operator==(const Inflated&, const Inflated&) = default;
};

// Feeds the stream in pieces, takes the output `most` bytes at a time, and stops at the first final word.
Inflated inflate(Inflater& inflater, std::string_view stream, const std::vector<std::uint8_t>& sizes,
                 std::size_t most = 64 * 1024) {
  Inflated result;
  base::ByteQueue out;
  in_pieces(stream, sizes, [&](std::string_view piece) {
    if (result.status == Status::end) result.status = Status::surplus;
    while (result.status == Status::need_input) {
      do {
        result.status = inflater.inflate(piece, out, most);
      } while (result.status == Status::full);
      if (piece.empty()) break;
    }
  });
  result.bytes = out.view();
  return result;
}
Inflated inflate(std::string_view stream, std::size_t limit = 64 * mebibyte) {
  Inflater inflater(limit);
  return inflate(inflater, stream, {});
}

TEST(Deflater, WritesWhatAnyZlibReads) {
  const std::string text = "the quick brown fox jumps over the lazy dog, the quick brown fox jumps again";
  for (int level = 1; level <= 9; ++level) EXPECT_EQ(inflate_by_zlib(deflate(text, level), text.size()), text);
}

TEST(Deflater, MakesAnEmptyStreamOfNothing) {
  EXPECT_EQ(inflate(deflate("")), (Inflated{Status::end, ""}));
}

TEST(Deflater, TakesLevelsOutsideOfOneToNineAsTheNearerEnd) {
  const std::string text(1000, 'a');
  EXPECT_EQ(deflate(text, 0), deflate(text, 1));
  EXPECT_EQ(deflate(text, 99), deflate(text, 9));
}

TEST(Deflater, BeginsEachStreamAfreshSoThatItStandsAlone) {
  Deflater deflater(3);
  base::ByteQueue out;
  const std::string text(5000, 'w');
  deflater.write(text, out);
  deflater.finish(out);
  const std::string first(out.view());
  out.clear();
  deflater.write(text, out);
  deflater.finish(out);
  EXPECT_EQ(out.view(), first);
}

RC_GTEST_PROP(Deflater, LosesNothingHoweverItIsFed, ()) {
  const auto text = *payload();
  const auto sizes = *cuts();
  const int level = *rc::gen::inRange(1, 10);
  Deflater deflater(level);
  for (int stream = 0; stream < 2; ++stream) {
    base::ByteQueue out;
    in_pieces(text, sizes, [&](std::string_view piece) { deflater.write(piece, out); });
    deflater.finish(out);
    RC_ASSERT(inflate_by_zlib(out.view(), text.size()) == text);
  }
}

TEST(Inflater, ReadsAStreamOfZlib) {
  // "abc", compressed by zlib, with its checksum 024d0127.
  EXPECT_EQ(inflate(hex("789c 4b4c4a06 00 024d0127")), (Inflated{Status::end, "abc"}));
}

RC_GTEST_PROP(Inflater, ReadsStreamsInAnyPiecesAndGivesThemInAnyPieces, ()) {
  const auto text = *payload();
  const auto sizes = *cuts();
  const auto most = *rc::gen::inRange<std::size_t>(1, 100'000);
  std::string stream(compressBound(text.size()), '\0');
  uLongf length = stream.size();
  compress2(reinterpret_cast<Bytef*>(stream.data()), &length, reinterpret_cast<const Bytef*>(text.data()), text.size(),
            *rc::gen::inRange(0, 10));
  stream.resize(length);

  Inflater inflater(mebibyte);
  for (int round = 0; round < 2; ++round) {
    inflater.reset();
    const Inflated inflated = inflate(inflater, stream, sizes, std::max<std::size_t>(most, text.size() / 1000));
    RC_ASSERT(inflated.status == Status::end);
    RC_ASSERT(inflated.bytes == text);
    RC_ASSERT(inflater.inflated() == text.size());
  }
}

TEST(Inflater, AsksForMoreWhenTheStreamIsCutShort) {
  const std::string stream = deflate(std::string(1000, 'x') + "end");
  for (std::size_t length = 0; length < stream.size(); ++length)
    EXPECT_EQ(inflate(stream.substr(0, length)).status, Status::need_input) << length;
}

TEST(Inflater, RefusesWhatIsNoZlibStream) {
  EXPECT_EQ(inflate("GET / HTTP/1.1\r\n\r\n").status, Status::corrupt);
  EXPECT_EQ(inflate(std::string(64, '\0')).status, Status::corrupt);
  EXPECT_EQ(inflate(std::string(64, '\xff')).status, Status::corrupt);
}

TEST(Inflater, RefusesAStreamWithAWrongChecksum) {
  EXPECT_EQ(inflate(hex("789c 4b4c4a06 00 024d0128")).status, Status::corrupt);
}

RC_GTEST_PROP(Inflater, NeverTakesADamagedStreamForSound, ()) {
  const auto text = *rc::gen::nonEmpty(payload());
  std::string stream = deflate(text);
  const auto bit = *rc::gen::inRange<std::size_t>(0, stream.size() * 8);
  stream[bit / 8] = static_cast<char>(stream[bit / 8] ^ 1 << bit % 8);
  Inflater inflater(mebibyte);
  const Inflated inflated = inflate(inflater, stream, *cuts(), 10'000);
  // Two bits of the header say only how hard the writer tried.
  RC_ASSERT(inflated.status != Status::end || inflated.bytes == text);
}

TEST(Inflater, RefusesAStreamThatAsksForADictionary) {
  // FDICT is set, and a dictionary's checksum follows.
  EXPECT_EQ(inflate(hex("78bb 024d0127 4b4c4a06 00 024d0127")).status, Status::corrupt);
}

TEST(Inflater, NoticesBytesBehindTheEndHoweverTheyArrive) {
  const std::string stream = deflate("abc") + "more";
  for (std::uint8_t size = 1; size < stream.size(); ++size) {
    Inflater inflater(mebibyte);
    EXPECT_EQ(inflate(inflater, stream, {size}).status, Status::surplus) << int{size};
  }
}

TEST(Inflater, InflatesUpToItsLimitAndNotAByteFurther) {
  const std::string text(10'000, 'x');
  EXPECT_EQ(inflate(deflate(text), 10'000), (Inflated{Status::end, text}));
  // Also when the end comes after the last byte that may come out.
  Inflater exact(10'000);
  EXPECT_EQ(inflate(exact, deflate(text), {1}), (Inflated{Status::end, text}));
  const Inflated beyond = inflate(deflate(text), 9'999);
  EXPECT_EQ(beyond.status, Status::too_large);
  EXPECT_EQ(beyond.bytes.size(), 9'999u);
}

TEST(Inflater, StopsABombBeforeItGoesOff) {
  Deflater deflater(9);
  base::ByteQueue bomb;
  const std::string zeroes(mebibyte, '\0');
  for (int i = 0; i < 200; ++i) deflater.write(zeroes, bomb);
  deflater.finish(bomb);
  ASSERT_LT(bomb.size(), 2 * mebibyte);

  Inflater inflater(mebibyte);
  base::ByteQueue out;
  std::string_view in = bomb.view();
  Status status;
  while ((status = inflater.inflate(in, out, 64 * 1024)) == Status::full) {
  }
  EXPECT_EQ(status, Status::too_large);
  EXPECT_EQ(out.size(), mebibyte);
  EXPECT_LE(out.capacity(), 2 * mebibyte);
}

}  // namespace
}  // namespace windlass::wire
