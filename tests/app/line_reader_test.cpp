#include "app/line_reader.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include "app/input.h"
#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

using test::TemporaryDirectory;
using testing::ElementsAre;

struct Read {
  std::string text;
  std::uint64_t offset;
  bool cut;
  friend bool operator==(const Read&, const Read&) = default;
};

struct Result {
  std::vector<Read> lines;
  LineReader::Counters counters;
  std::size_t capacity = 0;

  std::vector<std::string> texts() const {
    std::vector<std::string> result;
    for (const Read& line : lines) result.push_back(line.text);
    return result;
  }
};

Result drain(LineReader& reader) {
  Result result;
  LineReader::Line line;
  while (reader.fill() == LineReader::Filled::block)
    while (reader.next(line)) result.lines.push_back({std::string(line.text), line.offset, line.cut});
  EXPECT_FALSE(reader.error()) << reader.error().message();
  result.counters = reader.counters();
  result.capacity = reader.capacity();
  return result;
}

Result read(const std::string& content, LineReader::Options options = {}) {
  TemporaryDirectory directory;
  Input input;
  EXPECT_FALSE(Input::open(directory.write("input", content), input));
  LineReader reader(input.descriptor(), options);
  return drain(reader);
}

TEST(LineReader, CutsAtNewlinesAndTellsOffsets) {
  EXPECT_THAT(read("one\ntwo\nthree\n").lines,
              ElementsAre(Read{"one", 0, false}, Read{"two", 4, false}, Read{"three", 8, false}));
}

TEST(LineReader, TakesTheLastLineWithoutItsEnd) {
  EXPECT_THAT(read("one\ntwo").texts(), ElementsAre("one", "two"));
}

TEST(LineReader, TakesACarriageReturnForAPartOfTheEndOnlyBeforeANewline) {
  EXPECT_THAT(read("one\r\nt\rwo\r\r\nthree\r").texts(), ElementsAre("one", "t\rwo\r", "three\r"));
}

TEST(LineReader, SkipsAndCountsEmptyLines) {
  const Result result = read("\n\none\n\r\n\ntwo\n\n");
  EXPECT_THAT(result.lines, ElementsAre(Read{"one", 2, false}, Read{"two", 9, false}));
  EXPECT_EQ(result.counters.empty_lines, 5u);
  EXPECT_EQ(result.counters.lines, 2u);
  EXPECT_EQ(result.counters.bytes, 14u);
}

TEST(LineReader, KeepsNulAndOtherBytes) {
  const std::string odd("a\0b\xff\x01", 5);
  EXPECT_THAT(read(odd + "\nend").texts(), ElementsAre(odd, "end"));
}

TEST(LineReader, FindsNothingInAnEmptyFile) {
  EXPECT_THAT(read("").lines, ElementsAre());
}

TEST(LineReader, CountsOffsetsFromWhereTheInputStands) {
  LineReader::Options options;
  options.offset = 1000;
  EXPECT_THAT(read("one\ntwo", options).lines, ElementsAre(Read{"one", 1000, false}, Read{"two", 1004, false}));
}

TEST(LineReader, CutsALineThatIsTooLongAndCountsTheRest) {
  LineReader::Options options;
  options.max_line_bytes = 8;
  options.block_bytes = 3;
  const Result result = read("12345678\n123456789\nx\n" + std::string(1000, 'y') + "\r\n12345678\r\nz", options);
  EXPECT_THAT(result.lines,
              ElementsAre(Read{"12345678", 0, false}, Read{"12345678", 9, true}, Read{"x", 19, false},
                          Read{"yyyyyyyy", 21, true}, Read{"12345678", 1023, false}, Read{"z", 1033, false}));
  EXPECT_EQ(result.counters.cut_lines, 2u);
  EXPECT_EQ(result.counters.cut_bytes, 1u + 992u);
}

TEST(LineReader, DoesNotCutThroughACharacter) {
  LineReader::Options options;
  options.max_line_bytes = 8;
  EXPECT_THAT(read("123456\xe2\x82\xac\n1234567\xc3\xa4\n12345678\xc3\xa4\n", options).texts(),
              ElementsAre("123456", "1234567", "12345678"));
  // What is no UTF-8 anyway is cut where it must be.
  EXPECT_THAT(read(std::string(20, '\x80'), options).texts(), ElementsAre(std::string(8, '\x80')));
}

TEST(LineReader, HoldsNoMoreThanALineAndABlockHoweverLongALineIs) {
  LineReader::Options options;
  options.block_bytes = 4096;
  options.max_line_bytes = 10'000;
  const Result result = read(std::string(3'000'000, 'x') + "\nshort\n", options);
  EXPECT_EQ(result.lines.size(), 2u);
  EXPECT_LE(result.capacity, 10'000u + 4096u + 2u);
}

/// What the reader promises, written down in the plainest way.
Result expected(const std::string& content, std::size_t max_line_bytes) {
  Result result;
  result.counters.bytes = content.size();
  for (std::size_t begin = 0; begin < content.size();) {
    const std::size_t newline = std::min(content.find('\n', begin), content.size());
    std::string text = content.substr(begin, newline - begin);
    if (newline < content.size() && text.ends_with('\r')) text.pop_back();
    const std::size_t kept = std::min(text.size(), max_line_bytes);
    if (text.empty()) {
      ++result.counters.empty_lines;
    } else {
      ++result.counters.lines;
      if (kept < text.size()) ++result.counters.cut_lines;
      result.counters.cut_bytes += text.size() - kept;
      result.lines.push_back({text.substr(0, kept), begin, kept < text.size()});
    }
    begin = newline + 1;
  }
  return result;
}

RC_GTEST_PROP(LineReader, GivesTheSameLinesAndCountsHoweverTheReadsFall, ()) {
  const auto content = *rc::gen::container<std::string>(
      rc::gen::weightedElement<char>({{20, 'a'}, {20, 'b'}, {6, '\n'}, {6, '\r'}, {1, '\0'}}));
  LineReader::Options options;
  options.block_bytes = *rc::gen::inRange<std::size_t>(1, 20);
  options.max_line_bytes = *rc::gen::inRange<std::size_t>(4, 20);
  const Result result = read(content, options);
  const Result model = expected(content, options.max_line_bytes);
  RC_ASSERT(result.lines == model.lines);
  RC_ASSERT(result.counters == model.counters);
}

TEST(LineReader, ReadsAPipeAsItComes) {
  std::array<int, 2> pipe;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  LineReader::Options options;
  options.may_wait = true;
  LineReader reader(pipe[0], options);
  LineReader::Line line;

  ASSERT_EQ(::write(pipe[1], "one\ntw", 6), 6);
  ASSERT_EQ(reader.fill(), LineReader::Filled::block);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "one");
  EXPECT_FALSE(reader.next(line));

  ASSERT_EQ(::write(pipe[1], "o", 1), 1);
  ::close(pipe[1]);
  ASSERT_EQ(reader.fill(), LineReader::Filled::block);
  EXPECT_FALSE(reader.next(line));
  ASSERT_EQ(reader.fill(), LineReader::Filled::block);
  ASSERT_TRUE(reader.next(line));
  EXPECT_EQ(line.text, "two");
  EXPECT_EQ(reader.fill(), LineReader::Filled::end);
  EXPECT_EQ(reader.fill(), LineReader::Filled::end);
  ::close(pipe[0]);
}

TEST(LineReader, StopsWaitingWhenItIsWoken) {
  std::array<int, 2> pipe;
  std::array<int, 2> wake;
  ASSERT_EQ(::pipe(pipe.data()), 0);
  ASSERT_EQ(::pipe(wake.data()), 0);
  LineReader::Options options;
  options.may_wait = true;
  options.wake_descriptor = wake[0];
  LineReader reader(pipe[0], options);
  std::thread waker([&] { ASSERT_EQ(::write(wake[1], "!", 1), 1); });
  EXPECT_EQ(reader.fill(), LineReader::Filled::interrupted);
  waker.join();
  for (const int descriptor : {pipe[0], pipe[1], wake[0], wake[1]}) ::close(descriptor);
}

TEST(LineReader, TellsTheSystemsError) {
  TemporaryDirectory directory;
  const int descriptor = ::open(directory.path().c_str(), O_RDONLY | O_DIRECTORY);
  LineReader reader(descriptor, {});
  EXPECT_EQ(reader.fill(), LineReader::Filled::failed);
  EXPECT_EQ(reader.error(), std::errc::is_a_directory);
  EXPECT_EQ(reader.fill(), LineReader::Filled::failed);
  ::close(descriptor);
}

TEST(Input, SaysWhyItCannotBeOpened) {
  TemporaryDirectory directory;
  Input input;
  EXPECT_EQ(Input::open((directory.path() / "missing").string(), input), std::errc::no_such_file_or_directory);
  EXPECT_EQ(Input::open(directory.path().string(), input), std::errc::is_a_directory);
  EXPECT_EQ(Input::open(std::string("a\0b", 3), input), std::errc::invalid_argument);
  EXPECT_EQ(input.descriptor(), -1);
}

TEST(Input, IsWhoItIsUnderAnyNameAndNobodyElse) {
  TemporaryDirectory directory;
  Input first;
  Input again;
  Input other;
  ASSERT_FALSE(Input::open(directory.write("a", "x"), first));
  ASSERT_FALSE(Input::open(directory.write("b", "x"), other));
  std::filesystem::rename((directory.path() / "a").string(), (directory.path() / "c").string());
  ASSERT_FALSE(Input::open((directory.path() / "c").string(), again));
  EXPECT_TRUE(first.regular());
  EXPECT_EQ(first.size(), 1u);
  EXPECT_EQ(first.identity(), again.identity());
  EXPECT_NE(first.identity(), other.identity());
}

TEST(Input, IsAnotherOnceItBeginsWithAnotherLine) {
  TemporaryDirectory directory;
  Input before;
  Input grown;
  Input rewritten;
  ASSERT_FALSE(Input::open(directory.write("a", "first\n"), before));
  ASSERT_FALSE(Input::open(directory.write("a", "first\nsecond\n"), grown));
  ASSERT_FALSE(Input::open(directory.write("a", "other\nsecond\n"), rewritten));
  EXPECT_EQ(before.identity(), grown.identity());
  EXPECT_NE(before.identity(), rewritten.identity());
}

TEST(Input, IsSomebodyNewEachTimeWhereContentDoesNotStay) {
  Input one;
  Input two;
  ASSERT_FALSE(Input::open("/dev/null", one));
  ASSERT_FALSE(Input::open("/dev/null", two));
  EXPECT_FALSE(one.regular());
  EXPECT_NE(one.identity(), two.identity());
}

}  // namespace
}  // namespace windlass::app
