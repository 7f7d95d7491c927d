#include "wire/resp.h"

#include <gtest/gtest.h>
#include <limits>
#include <rapidcheck/gtest.h>
#include <string>
#include <vector>

#include <windlass/error.h>

#include "wire/lumberjack_bytes.h"
#include "wire/resp_decoder.h"

namespace windlass::wire::resp {
namespace {

using Kind = Token::Kind;
using test::batch_of;

/// A token whose text is its own.
struct Read {
  Kind kind;
  std::int64_t number = 0;
  std::string text = {};
  bool last = true;
  friend bool operator==(const Read&, const Read&) = default;
};
using Reads = std::vector<Read>;

Reads decode_all(Decoder& decoder) {
  Reads reads;
  while (const auto token = decoder.next())
    reads.push_back({token->kind, token->number, std::string(token->text), token->last});
  return reads;
}

Reads decode(std::string_view bytes, DecoderLimits limits = {}) {
  Decoder decoder(limits);
  decoder.feed(bytes);
  Reads reads = decode_all(decoder);
  EXPECT_FALSE(decoder.error()) << decoder.error_detail();
  return reads;
}

/// The complaint about these bytes.
std::string complaint(std::string_view bytes, DecoderLimits limits = {}) {
  Decoder decoder(limits);
  decoder.feed(bytes);
  decode_all(decoder);
  EXPECT_EQ(decoder.error(), errc::protocol_error);
  EXPECT_FALSE(decoder.next());
  return decoder.error_detail();
}

std::string text_of(const base::ByteQueue& out) {
  return std::string(out.view());
}

TEST(RespEncoder, WritesACommandAsAnArrayOfBulkStrings) {
  base::ByteQueue out;
  encode_command({"AUTH", "", "secret"}, out);
  EXPECT_EQ(out.view(), "*3\r\n$4\r\nAUTH\r\n$0\r\n\r\n$6\r\nsecret\r\n");
}

TEST(RespEncoder, WritesABatchAsOneCommand) {
  base::ByteQueue out;
  CommandHead({"RPUSH", "logs"}).encode_once(batch_of({"{}", "[1,2,3,4]x"}), out);
  EXPECT_EQ(out.view(), "*4\r\n$5\r\nRPUSH\r\n$4\r\nlogs\r\n$2\r\n{}\r\n$10\r\n[1,2,3,4]x\r\n");
}

TEST(RespEncoder, WritesABatchAsACommandForEachEvent) {
  base::ByteQueue out;
  CommandHead({"PUBLISH", "c"}).encode_each(batch_of({"a", ""}), out);
  EXPECT_EQ(out.view(), "*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$1\r\na\r\n*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$0\r\n\r\n");
}

TEST(RespEncoder, KeepsALineOneLineWhateverStandsInIt) {
  base::ByteQueue out;
  encode_error("ERR unknown command 'a\r\nb'", out);
  EXPECT_EQ(out.view(), "-ERR unknown command 'a  b'\r\n");
}

TEST(RespDecoder, ReadsEveryTypeOfReply) {
  EXPECT_EQ(decode("+OK\r\n-OOM command not allowed\r\n:-12\r\n$3\r\na\r\n\r\n$-1\r\n*-1\r\n*0\r\n$0\r\n\r\n+\r\n"),
            (Reads{{Kind::simple, 0, "OK"},
                   {Kind::error, 0, "OOM command not allowed"},
                   {Kind::integer, -12},
                   {Kind::bulk, 0, "a\r\n"},
                   {Kind::null},
                   {Kind::null},
                   {Kind::array, 0},
                   {Kind::bulk, 0, ""},
                   {Kind::simple, 0, ""}}));
}

TEST(RespDecoder, SaysWhereAValueOfManyPartsEnds) {
  EXPECT_EQ(decode("*2\r\n*2\r\n:1\r\n*0\r\n*1\r\n+a\r\n:2\r\n"), (Reads{{Kind::array, 2, "", false},
                                                                         {Kind::array, 2, "", false},
                                                                         {Kind::integer, 1, "", false},
                                                                         {Kind::array, 0, "", false},
                                                                         {Kind::array, 1, "", false},
                                                                         {Kind::simple, 0, "a"},
                                                                         {Kind::integer, 2}}));
}

TEST(RespDecoder, WaitsForTheRest) {
  Decoder decoder;
  decoder.feed("*1\r\n$3\r\nab");
  EXPECT_EQ(decode_all(decoder).size(), 1u);
  EXPECT_TRUE(decoder.inside_value());
  decoder.feed("c\r");
  EXPECT_TRUE(decode_all(decoder).empty());
  decoder.feed("\n");
  EXPECT_EQ(decode_all(decoder), (Reads{{Kind::bulk, 0, "abc"}}));
  EXPECT_FALSE(decoder.inside_value());
  EXPECT_EQ(decoder.buffered(), 0u);
}

TEST(RespDecoder, KnowsAStrangerByTheFirstByte) {
  EXPECT_EQ(complaint("H"), "a value begins with 'H'; one of +-:$* was expected");
  EXPECT_EQ(complaint("\x16\x03"), "a value begins with '\\x16'; one of +-:$* was expected");
  EXPECT_EQ(complaint("*1\r\n%"), "a value begins with '%'; one of +-:$* was expected");
}

TEST(RespDecoder, RefusesWhatIsNoNumber) {
  for (const std::string line : {"", "+", "-", "1x", " 1", "+-1", "0x10", "99999999999999999999"})
    EXPECT_EQ(complaint(":" + line + "\r\n"), "a number was expected, not '" + line + "'");
  EXPECT_EQ(decode(":+7\r\n"), (Reads{{Kind::integer, 7}}));
  EXPECT_EQ(decode(":-9223372036854775808\r\n"), (Reads{{Kind::integer, std::numeric_limits<std::int64_t>::min()}}));
}

TEST(RespDecoder, RefusesLinesAndStringsWithoutTheirEnd) {
  EXPECT_EQ(complaint("+OK\n"), "a line that does not end with \\r\\n: '+OK\\x0a'");
  EXPECT_EQ(complaint("+O\rK\r\n"), "a line that does not end with \\r\\n: '+O\\x0d'");
  EXPECT_EQ(complaint("$2\r\nabc\r\n"), "a string of 2 bytes that does not end with \\r\\n");
}

TEST(RespDecoder, HoldsToItsLimitsBeforeItHasReadWhatBreaksThem) {
  const DecoderLimits limits{.max_line_bytes = 4, .max_bulk_bytes = 5, .max_elements = 6, .max_depth = 2};
  EXPECT_EQ(decode("+1234\r\n$5\r\n12345\r\n", limits).size(), 2u);
  EXPECT_EQ(complaint("+12345", limits), "a line of more than 4 bytes: '+123'");
  EXPECT_EQ(complaint("$6\r\n", limits), "a string of 6 bytes; at most 5 are accepted");
  EXPECT_EQ(complaint("$-2\r\n", limits), "a string of -2 bytes; at most 5 are accepted");
  EXPECT_EQ(complaint("*7\r\n", limits), "an array of 7 values; at most 6 are accepted");
  EXPECT_EQ(complaint("*1\r\n*1\r\n*1\r\n", limits), "arrays in arrays; at most 2 are accepted");
  EXPECT_EQ(complaint("$000000000000000000001\r\n").substr(0, 28), "a line of more than 20 bytes");
}

TEST(RespDecoder, GivesMemoryBack) {
  Decoder decoder;
  decoder.feed("$1000000\r\n" + std::string(1'000'000, 'x') + "\r\n");
  EXPECT_EQ(decode_all(decoder).size(), 1u);
  EXPECT_LE(decoder.memory(), 256u * 1024);
}

/// Any value, as it is told and as it is read.
struct Value {
  std::string bytes;
  Reads reads;
};

void append_value(Value& value, unsigned depth) {
  base::ByteQueue out;
  switch (*rc::gen::inRange(0, depth == 0 ? 5 : 6)) {
    case 0: {
      const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
      encode_simple(text, out);
      value.reads.push_back({Kind::simple, 0, text, false});
      break;
    }
    case 1: {
      const auto text = *rc::gen::container<std::string>(rc::gen::inRange<char>(' ', '~'));
      encode_error(text, out);
      value.reads.push_back({Kind::error, 0, text, false});
      break;
    }
    case 2: {
      const auto number = *rc::gen::arbitrary<std::int64_t>();
      encode_integer(number, out);
      value.reads.push_back({Kind::integer, number, "", false});
      break;
    }
    case 3: {
      const auto bytes = *test::payload();
      encode_bulk(bytes, out);
      value.reads.push_back({Kind::bulk, 0, bytes, false});
      break;
    }
    case 4:
      encode_null(out);
      value.reads.push_back({Kind::null, 0, "", false});
      break;
    default: {
      const auto count = *rc::gen::inRange<std::size_t>(0, 5);
      encode_array(count, out);
      value.reads.push_back({Kind::array, static_cast<std::int64_t>(count), "", false});
      value.bytes += text_of(out);
      for (std::size_t i = 0; i < count; ++i) append_value(value, depth - 1);
      return;
    }
  }
  value.bytes += text_of(out);
}

// Whatever is said, in whatever pieces it arrives, is read as it was meant.
RC_GTEST_PROP(RespDecoder, ReadsWhatWasEncodedUnderAnySplit, ()) {
  Value all;
  const auto count = *rc::gen::inRange(1, 6);
  for (int i = 0; i < count; ++i) {
    append_value(all, 4);
    all.reads.back().last = true;
  }
  Decoder decoder;
  Reads reads;
  test::in_pieces(all.bytes, *test::cuts(), [&](std::string_view piece) {
    decoder.feed(piece);
    for (Read& read : decode_all(decoder)) reads.push_back(std::move(read));
  });
  RC_ASSERT(!decoder.error());
  RC_ASSERT(!decoder.inside_value());
  RC_ASSERT(reads == all.reads);
}

// Both ways of sending a batch are read back as the events that it holds.
RC_GTEST_PROP(RespDecoder, ReadsBatchesBack, ()) {
  const auto events = *test::payloads();
  base::ByteQueue out;
  const CommandHead head({"RPUSH", "key"});
  const bool once = *rc::gen::arbitrary<bool>();
  if (once)
    head.encode_once(batch_of(events), out);
  else
    head.encode_each(batch_of(events), out);

  Reads expected;
  const auto begin = [&](std::size_t count) {
    expected.push_back({Kind::array, static_cast<std::int64_t>(count), "", false});
    expected.push_back({Kind::bulk, 0, "RPUSH", false});
    expected.push_back({Kind::bulk, 0, "key", false});
  };
  if (once) begin(2 + events.size());
  for (const std::string& event : events) {
    if (!once) begin(3);
    expected.push_back({Kind::bulk, 0, event, !once});
  }
  expected.back().last = true;
  RC_ASSERT(decode(out.view()) == expected);
}

}  // namespace
}  // namespace windlass::wire::resp
