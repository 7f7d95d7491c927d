#include "app/recorder.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

#include "support/temporary_directory.h"

namespace windlass::app {
namespace {

std::string content(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class RecorderTest : public testing::Test {
 protected:
  const test::TemporaryDirectory directory_;
  const std::string path_ = (directory_.path() / "record").string();
};

TEST_F(RecorderTest, HasEachEventInALineOnceItIsFlushed) {
  Recorder recorder(path_);
  recorder.add(R"({"n":1})");
  recorder.add(R"({"n":2})");
  EXPECT_EQ(content(path_), "");
  EXPECT_FALSE(recorder.flush());
  EXPECT_EQ(content(path_), "{\"n\":1}\n{\"n\":2}\n");
}

TEST_F(RecorderTest, GoesOnWhereTheLastOneEnded) {
  { Recorder(path_).add("1"); }
  { Recorder(path_).add("2"); }
  EXPECT_EQ(content(path_), "1\n2\n");
}

TEST_F(RecorderTest, KeepsAnEventThatHoldsNewlinesInOneLine) {
  { Recorder(path_).add("{\n  \"n\": 1\n}"); }
  EXPECT_EQ(content(path_), "{   \"n\": 1 }\n");
}

TEST_F(RecorderTest, CutsOffALineWhoseWriterDied) {
  const std::string torn(100'000, 'x');
  directory_.write("record", "1\n2\n" + torn);
  Recorder recorder(path_);
  EXPECT_EQ(recorder.cut_bytes(), torn.size());
  recorder.add("3");
  recorder.flush();
  EXPECT_EQ(content(path_), "1\n2\n3\n");
}

TEST_F(RecorderTest, WritesByItselfBeforeMemoryGrows) {
  Recorder recorder(path_);
  const std::string event(999, 'x');
  for (int i = 0; i < 10'000; ++i) recorder.add(event);
  EXPECT_GE(content(path_).size(), 8'000'000u);
  recorder.flush();
  EXPECT_EQ(content(path_).size(), 10'000'000u);
}

TEST_F(RecorderTest, HasAFileForItselfAlone) {
  const Recorder recorder(path_);
  try {
    Recorder second(path_);
    FAIL() << "two recorders of one file";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::device_or_resource_busy);
    EXPECT_NE(std::string(error.what()).find(path_), std::string::npos);
  }
}

TEST_F(RecorderTest, NamesAFileThatCannotBeOpened) {
  const std::string path = (directory_.path() / "missing" / "record").string();
  try {
    Recorder recorder(path);
    FAIL() << "opened";
  } catch (const std::system_error& error) {
    EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
    EXPECT_NE(std::string(error.what()).find(path), std::string::npos);
  }
}

TEST_F(RecorderTest, SaysWhenTheDiskIsFullAndStaysWithIt) {
  Recorder recorder("/dev/full");
  recorder.add("1");
  EXPECT_EQ(recorder.flush(), std::errc::no_space_on_device);
  recorder.add("2");
  EXPECT_EQ(recorder.flush(), std::errc::no_space_on_device);
}

}  // namespace
}  // namespace windlass::app
