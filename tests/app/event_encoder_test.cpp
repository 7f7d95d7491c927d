#include "app/event_encoder.h"

#include <boost/json.hpp>
#include <clocale>
#include <cwchar>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "app/json_line.h"
#include "app/json_text.h"

namespace windlass::app {
namespace {

using std::string_literals::operator""s;
using namespace std::chrono;

constexpr system_clock::time_point some_time =
    sys_days(year(2024) / 5 / 6) + hours(7) + minutes(8) + milliseconds(9'123);

std::string encoded(const EventEncoder& encoder, std::string_view line, std::uint64_t offset) {
  EventBuffer events;
  encoder.encode(line, offset, events);
  EXPECT_EQ(events.size(), 1u);
  return std::string(events[0]);
}

TEST(EventEncoder, MakesTheEventThatIsDocumented) {
  EventEncoder encoder("my-host", "/var/log/a.log", 0xabc);
  encoder.set_time(some_time);
  EXPECT_EQ(encoded(encoder, "hello, world", 42),
            R"({"@timestamp":"2024-05-06T07:08:09.123Z","message":"hello, world","host":{"name":"my-host"},)"
            R"("log":{"file":{"path":"/var/log/a.log"},"offset":42},"@metadata":{"_id":"0000000000000abc-42"}})");
}

TEST(EventEncoder, PutsEventsSideBySide) {
  EventEncoder encoder("h", "p", 1);
  EventBuffer events;
  for (std::uint64_t index = 0; index < 1000; ++index)
    encoder.encode("line " + std::to_string(index), index * 10, events);
  ASSERT_EQ(events.size(), 1000u);
  for (std::uint64_t index = 0; index < 1000; ++index) {
    const auto event = boost::json::parse(boost::json::string_view(events[index].data(), events[index].size()));
    EXPECT_EQ(event.at("message").as_string(), ("line " + std::to_string(index)).c_str());
    EXPECT_EQ(event.at("log").at("offset").as_int64(), static_cast<std::int64_t>(index * 10));
  }
}

TEST(EventEncoder, EscapesHostAndPathToo) {
  EventEncoder encoder("a\"b", "/tmp/\\\xff\n", 0);
  const auto event = boost::json::parse(encoded(encoder, "", 0));
  EXPECT_EQ(event.at("host").at("name").as_string(), "a\"b");
  EXPECT_EQ(event.at("log").at("file").at("path").as_string(), "/tmp/\\\xef\xbf\xbd\n");
}

TEST(EventEncoder, ShowsTimesInUtc) {
  EXPECT_EQ(format_time(system_clock::time_point()), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(some_time), "2024-05-06T07:08:09.123Z");
  EXPECT_EQ(format_time(sys_days(year(2024) / 2 / 29) + hours(24) - nanoseconds(1)), "2024-02-29T23:59:59.999Z");
  EXPECT_EQ(format_time(system_clock::time_point() - milliseconds(1)), "1969-12-31T23:59:59.999Z");
}

TEST(JsonText, EscapesWhatMustBeEscaped) {
  EXPECT_EQ(escaped_json("plain"), "plain");
  EXPECT_EQ(escaped_json(""), "");
  EXPECT_EQ(escaped_json("\"\\/"), R"(\"\\/)");
  EXPECT_EQ(escaped_json("\b\f\n\r\t"), R"(\b\f\n\r\t)");
  EXPECT_EQ(escaped_json("\0\x01\x1f\x7f"s), "\\u0000\\u0001\\u001f\x7f");
  EXPECT_EQ(escaped_json("äß€𝄞"), "äß€𝄞");
}

TEST(JsonText, ReplacesEachMaximalPartOfWhatIsNotUtf8) {
  const std::string u = "\xef\xbf\xbd";
  const std::vector<std::pair<std::string, std::string>> cases{
      {"\x80", u},
      {"\xbf\xbf", u + u},
      {"\xc0\xaf", u + u},  // longer than needed
      {"\xe0\x80\xaf", u + u + u},
      {"\xf0\x80\x80\xaf", u + u + u + u},
      {"\xed\xa0\x80", u + u + u},          // a surrogate
      {"\xf4\x90\x80\x80", u + u + u + u},  // beyond U+10FFFF
      {"\xf5\xff", u + u},
      {"\xc3", u},  // cut at the end
      {"\xe2\x82", u},
      {"\xf0\x9d\x84", u},
      {"\xe2\x82x", u + "x"},  // cut in the middle
      {"\xf0\x9d\x84\xc3\xa4", u + "ä"},
      {"\xe2\xe2\x82\xac", u + "€"},
      {"\xc3\"", u + "\\\""},
      {"\xc3\n", u + "\\n"},
      {"a\xf1\x80\x80\xe1\x80\xc2"s + "b\x80" + "c\x80\xbf" + "d",  // the example of Unicode's table 3-8
       "a" + u + u + u + "b" + u + "c" + u + u + "d"},
  };
  for (const auto& [bytes, text] : cases) EXPECT_EQ(escaped_json(bytes), text) << testing::PrintToString(bytes);
}

TEST(JsonText, DoesTheSameWhereverItStandsInALine) {
  for (const std::string special : {"\"", "\\", "\n", "\x01", "ä", "€", "𝄞", "\xff", "\xe2\x82"}) {
    const std::string replaced = escaped_json(special);
    for (std::size_t before = 0; before < 40; ++before)
      for (std::size_t after = 0; after < 40; ++after)
        ASSERT_EQ(escaped_json(std::string(before, 'x') + special + std::string(after, 'y')),
                  std::string(before, 'x') + replaced + std::string(after, 'y'));
  }
}

/// Bytes with much of what is special in them.
rc::Gen<std::string> lines() {
  const auto piece = rc::gen::weightedOneOf<std::string>(
      {{6, rc::gen::container<std::string>(rc::gen::inRange<char>(' ', 127))},
       {2, rc::gen::element<std::string>("\"", "\\", "\n", "\t", "\0"s, "\x1f")},
       {2, rc::gen::element<std::string>("ä", "€", "𝄞", "\u2028", "\ufffd", "\uffff", "\U0010ffff")},
       {1, rc::gen::container<std::string>(rc::gen::arbitrary<char>())}});
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(piece), [](const std::vector<std::string>& pieces) {
    std::string line;
    for (const std::string& part : pieces) line += part;
    return line;
  });
}

/// By a decoder that is not ours.
bool is_utf8(const std::string& text) {
  EXPECT_NE(std::setlocale(LC_CTYPE, "C.UTF-8"), nullptr);
  std::mbstate_t state{};
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = std::mbrlen(text.data() + at, text.size() - at, &state);
    if (length > text.size()) return false;
    at += length == 0 ? 1 : length;
  }
  return true;
}

RC_GTEST_PROP(EventEncoder, GivesBackTheLineWhenItIsDecoded, ()) {
  const std::string line = *lines();
  const auto offset = *rc::gen::arbitrary<std::uint64_t>();
  EventEncoder encoder("h", "p", 7);
  const std::string event = encoded(encoder, line, offset);

  // It is JSON whatever the line was, and says where it comes from.
  const auto value = boost::json::parse(event);
  RC_ASSERT(value.at("log").at("offset").to_number<std::uint64_t>() == offset);
  RC_ASSERT(value.at("@metadata").at("_id").as_string() == ("0000000000000007-" + std::to_string(offset)).c_str());

  // Escaping what came out once more changes nothing: it is the line, but for what was not UTF-8.
  const auto& message = value.at("message").as_string();
  const std::string_view text(message.data(), message.size());
  RC_ASSERT(boost::json::parse('"' + escaped_json(text) + '"').as_string() == message);
  if (is_utf8(line)) RC_ASSERT(text == line);
}

RC_GTEST_PROP(JsonText, KnowsItsSizeBeforehand, ()) {
  const std::string line = *lines();
  std::string to(line.size() * max_json_growth + json_slack, '\0');
  const char* end = escape_json(line, to.data());
  RC_ASSERT(json_size(line) == static_cast<std::size_t>(end - to.data()));
  RC_ASSERT(json_size(line) <= line.size() * max_json_growth);
}

TEST(EventEncoder, EncodesLinesOfAnyLength) {
  EventEncoder encoder("h", "p", 0);
  for (const std::size_t length : {0, 1, 15, 16, 17, 4095, 4096, 4097, 100'000}) {
    for (const char* byte : {"x", "\"", "\xff", "\x01"}) {
      std::string line;
      for (std::size_t index = 0; index < length; ++index) line += byte;
      const auto event = boost::json::parse(encoded(encoder, line, 0));
      const auto& message = event.at("message").as_string();
      EXPECT_EQ(message.size(), length * (*byte == '\xff' ? 3 : 1));
    }
  }
}

TEST(JsonLineChecker, TakesObjectsAlone) {
  JsonLineChecker checker;
  const std::string deep_open(JsonLineChecker::max_depth - 1, '[');
  const std::string deep_close(JsonLineChecker::max_depth - 1, ']');
  for (const std::string& line : {R"({})"s, R"( {"a":1} )"s, R"({"a":{"b":[1,2.5e3,null,true,"\u00e4ä"]}})"s, "{}\r"s,
                                  "{\"a\":" + deep_open + deep_close + "}"})
    EXPECT_TRUE(checker.is_object(line)) << line;
  for (const std::string& line : {""s,
                                  " "s,
                                  "{"s,
                                  "}"s,
                                  "[]"s,
                                  "1"s,
                                  "null"s,
                                  "\"a\""s,
                                  "{} {}"s,
                                  "{}x"s,
                                  "{\"a\":}"s,
                                  "{'a':1}"s,
                                  "{\"a\":1,}"s,
                                  "{\"a\":01}"s,
                                  "{\"a\":\"\xff\"}"s,
                                  "{\"a\":\"\x01\"}"s,
                                  "{a:1}"s,
                                  "{}\0"s,
                                  "// x\n{}"s,
                                  "\xef\xbb\xbf{}"s,
                                  "{\"a\":[" + deep_open + deep_close + "]}"})
    EXPECT_FALSE(checker.is_object(line)) << line;
  // What was refused leaves nothing behind.
  EXPECT_TRUE(checker.is_object("{}"));
}

}  // namespace
}  // namespace windlass::app
