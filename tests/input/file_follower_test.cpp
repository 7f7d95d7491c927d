#include "input/file_follower.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "input/followed_world.h"

namespace windlass::input {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::Contains;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;

TEST(FileFollower, ReadsWhatIsThereAndThenWhatIsAdded) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", "first\nsecond\n");
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("first", "second"));
  world.files.append("/log/a.log", "third\n");
  world.follower().hint("/log/a.log", FileFollower::Hint::modified);
  world.work();
  EXPECT_THAT(world.texts(), ElementsAre("first", "second", "third"));
}

TEST(FileFollower, WaitsForTheEndOfALine) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", "gr\xc3");
  world.look();
  EXPECT_THAT(world.texts(), IsEmpty());
  world.files.append("/log/a.log", "\xbc\xc3\x9f");
  world.look();
  EXPECT_THAT(world.texts(), IsEmpty());
  world.files.append("/log/a.log", "e\nnext");
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("grüße"));
}

TEST(FileFollower, AnotherRunGoesOnWhereTheLastOneEnded) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  world.stop();
  world.files.append("/log/a.log", numbered_lines(10, 20));
  world.look();
  EXPECT_THAT(world.texts(), ElementsAreArray(numbered_texts(0, 20)));
}

TEST(FileFollower, APositionMovesOnlyAsFarAsAllBeforeIsAcknowledged) {
  FollowedWorld world({"/log/*.log"});
  world.options.piece_events = 1;
  world.ack_at_once = false;
  world.files.append("/log/a.log", numbered_lines(0, 4));
  world.look();
  ASSERT_EQ(world.pieces(), 4u);
  world.ack(2);
  world.ack(1);
  world.stop();
  world.ack_at_once = true;
  world.look();
  EXPECT_EQ(world.events.size(), 8u) << "the first line was not acknowledged, so all come again";
  EXPECT_EQ(world.distinct_ids().size(), 4u);
}

TEST(FileFollower, WhatWasAcknowledgedAndNotSavedComesAgainWithTheSameIds) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  world.crash();
  world.look();
  EXPECT_EQ(world.events.size(), 20u);
  EXPECT_THAT(world.deduplicated(), ElementsAreArray(numbered_texts(0, 10)));
}

TEST(FileFollower, AnIdIsTheSameWithoutARegistryToo) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 3));
  world.look();
  world.stop();
  world.storage.bytes.clear();
  world.files.append("/log/a.log", numbered_lines(3, 30));
  world.look();
  EXPECT_THAT(world.deduplicated(), ElementsAreArray(numbered_texts(0, 30)));
}

TEST(FileFollower, ARenamedFileIsTheSameFile) {
  FollowedWorld world({"/log/a.log*"});
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  world.files.append("/log/a.log", numbered_lines(10, 12));
  world.files.rename("/log/a.log", "/log/a.log.1");
  world.files.append("/log/a.log", numbered_lines(100, 103));
  world.files.append("/log/a.log.1", numbered_lines(12, 14));
  world.look();
  std::vector<std::string> expected = numbered_texts(0, 14);
  for (const std::string& text : numbered_texts(100, 103)) expected.push_back(text);
  EXPECT_THAT(world.texts(), UnorderedElementsAreArray(expected));
  EXPECT_EQ(world.distinct_ids().size(), expected.size());
}

TEST(FileFollower, AFileThatIsRenamedToWhatNoInputNamesIsReadToItsEnd) {
  for (const bool crash : {false, true}) {
    FollowedWorld world({"/log/*.log"});
    world.files.append("/log/a.log", numbered_lines(0, 10));
    world.look();
    ASSERT_FALSE(world.save());
    world.files.append("/log/a.log", numbered_lines(10, 12));
    world.files.rename("/log/a.log", "/log/a.log.1");
    world.files.append("/log/a.log", numbered_lines(100, 103));
    if (crash) world.crash();
    world.look();
    std::vector<std::string> expected = numbered_texts(0, 12);
    for (const std::string& text : numbered_texts(100, 103)) expected.push_back(text);
    EXPECT_THAT(world.texts(), UnorderedElementsAreArray(expected)) << crash;
    // A writer that has not noticed yet goes on in the old file.
    world.files.append("/log/a.log.1", numbered_lines(12, 13));
    world.look();
    EXPECT_THAT(world.texts(), Contains(numbered(12)));
  }
}

TEST(FileFollower, ADeletedFileIsReadToItsEndWhileItIsOpenAndItsLastLineNeedsNoEnd) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 2));
  world.look();
  world.files.append("/log/a.log", numbered_lines(2, 3) + "the last");
  world.files.remove("/log/a.log");
  world.follower().hint("/log/a.log", FileFollower::Hint::disappeared);
  world.work();
  EXPECT_THAT(world.texts(), ElementsAre(numbered(0), numbered(1), numbered(2), "the last"));
  EXPECT_EQ(world.files.open_files, 0u);
  EXPECT_EQ(world.files.open_files, 0u);
}

TEST(FileFollower, AnEntryOfAVanishedFileIsForgottenAfterItsTimeAndNotBefore) {
  FollowedWorld world({"/log/*.log"});
  world.options.clean_inactive = hours(2);
  world.files.append("/log/a.log", numbered_lines(0, 2));
  world.look();
  world.files.remove("/log/a.log");
  world.look();
  world.pass(hours(1));
  world.look();
  ASSERT_FALSE(world.save());
  EXPECT_EQ(world.registry().entries().size(), 1u);
  world.pass(hours(2));
  world.look();
  ASSERT_FALSE(world.save());
  EXPECT_THAT(world.registry().entries(), IsEmpty());
  world.crash();
  world.look();
  EXPECT_THAT(world.registry().entries(), IsEmpty());
}

TEST(FileFollower, AnInodeThatIsUsedAgainIsAnotherFile) {
  for (const bool births : {true, false}) {
    FollowedWorld world({"/log/*.log"});
    world.files.births = births;
    world.files.append("/log/a.log", "head\n" + numbered_lines(0, 10));
    const std::uint64_t inode = world.files.inode_of("/log/a.log");
    world.look();
    world.stop();
    world.files.remove("/log/a.log");
    world.files.reuse_inode(inode);
    world.files.append("/log/b.log", "head\n" + numbered_lines(50, 80));
    world.look();
    EXPECT_EQ(world.events.size(), 42u);
    EXPECT_EQ(world.distinct_ids().size(), 42u);
  }
}

TEST(FileFollower, ADeviceThatHasAnotherNumberAfterARestartHasTheSameFiles) {
  FollowedWorld world({"/log/*"});
  world.files.append("/log/a", numbered_lines(0, 50));
  world.files.append("/log/b", numbered_lines(50, 100));
  world.look();
  world.stop();
  world.files.device = 2;
  world.files.append("/log/a", numbered_lines(100, 110));
  world.files.rename("/log/b", "/log/c");
  world.look();
  EXPECT_EQ(world.texts(), numbered_texts(0, 110));
  world.stop();
  world.look();
  EXPECT_EQ(world.texts().size(), 110u);
  std::set<std::string> files;
  for (const std::string& id : world.distinct_ids()) files.insert(id.substr(0, id.find('-')));
  EXPECT_EQ(files.size(), 2u);
}

TEST(FileFollower, ATruncatedFileIsReadFromItsBeginningWithOtherIds) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", "head\n" + numbered_lines(0, 10));
  world.look();
  world.files.truncate("/log/a.log");
  world.files.append("/log/a.log", "head\n" + numbered_lines(10, 12));
  world.look();
  EXPECT_EQ(world.events.size(), 14u);
  EXPECT_EQ(world.distinct_ids().size(), 14u);
  world.stop();
  world.look();
  EXPECT_EQ(world.events.size(), 14u);
}

TEST(FileFollower, ATruncationIsNoticedThoughTheFileIsLongerThanBefore) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  world.files.truncate("/log/a.log");
  world.files.append("/log/a.log", numbered_lines(10, 100));
  world.look();
  EXPECT_THAT(world.deduplicated(), ElementsAreArray(numbered_texts(0, 100)));
  EXPECT_EQ(world.events.size(), 100u);
}

TEST(FileFollower, ATruncationIsNoticedThoughTheFileBeginsAsItDid) {
  FollowedWorld world({"/log/*.log"});
  const std::string banner = std::string(300, '=') + '\n';
  world.files.append("/log/a.log", banner + numbered_lines(0, 30));
  world.look();
  world.files.truncate("/log/a.log");
  world.files.append("/log/a.log", banner + numbered_lines(30, 100));
  world.look();
  EXPECT_EQ(world.events.size(), 102u);
  EXPECT_EQ(world.distinct_ids().size(), 102u);
}

TEST(FileFollower, AFileThatShrinksIsReadFromItsBeginning) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 20));
  world.look();
  world.files.truncate("/log/a.log", numbered_lines(0, 10).size());
  world.look();
  EXPECT_EQ(world.events.size(), 30u);
  EXPECT_EQ(world.distinct_ids().size(), 30u);
}

TEST(FileFollower, WhatIsReadWhileTheFileIsTruncatedIsNotTakenForItsContinuation) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  world.files.append("/log/a.log", numbered_lines(10, 20));
  bool done = false;
  world.files.before_read = [&](const std::string&) {
    if (std::exchange(done, true)) return;
    world.files.truncate("/log/a.log");
    world.files.append("/log/a.log", numbered_lines(500, 540));
  };
  world.look();
  std::vector<std::string> expected = numbered_texts(0, 10);
  for (const std::string& text : numbered_texts(500, 540)) expected.push_back(text);
  EXPECT_THAT(world.texts(), ElementsAreArray(expected));
  EXPECT_THAT(world.notes, Contains(HasSubstr("truncated")));
}

TEST(FileFollower, ACopyOfATruncatedFileGivesWhatWasNotReadOfTheOriginal) {
  for (const bool down : {false, true}) {
    FollowedWorld world({"/log/a.log*"});
    world.files.append("/log/a.log", numbered_lines(0, 50));
    world.look();
    ASSERT_FALSE(world.save());
    if (down) world.crash();
    world.files.append("/log/a.log", numbered_lines(50, 60));
    world.files.copy("/log/a.log", "/log/a.log.1");
    world.files.truncate("/log/a.log");
    world.files.append("/log/a.log", numbered_lines(60, 70));
    world.look();
    EXPECT_THAT(world.texts(), UnorderedElementsAreArray(numbered_texts(0, 70))) << down;
    EXPECT_EQ(world.follower().counters().copies, 1u);
    world.stop();
    world.look();
    EXPECT_EQ(world.events.size(), 70u);
  }
}

TEST(FileFollower, ACopyThatIsBeingMadeIsHeldBackUntilTheOriginalIsTruncated) {
  FollowedWorld world({"/log/a.log*"});
  world.files.append("/log/a.log", numbered_lines(0, 50));
  world.look();
  world.files.append("/log/a.log.1", numbered_lines(0, 20));
  world.look();
  world.files.append("/log/a.log.1", numbered_lines(20, 50));
  world.pass(seconds(4));
  EXPECT_EQ(world.events.size(), 50u);
  world.files.append("/log/a.log", numbered_lines(50, 53));  // after the copy: read from the original
  world.look();
  world.files.truncate("/log/a.log");
  world.files.append("/log/a.log", numbered_lines(53, 60));
  world.look();
  world.pass(seconds(20));
  EXPECT_THAT(world.texts(), UnorderedElementsAreArray(numbered_texts(0, 60)));
  world.stop();
  world.look();
  EXPECT_EQ(world.events.size(), 60u) << "a copy that is shorter than what was read has nothing more";
}

TEST(FileFollower, ACopyThatIsFoundWhileItIsEmptyIsRecognizedOnceItIsThere) {
  for (const bool in_time : {false, true}) {
    FollowedWorld world({"/log/a.log*"});
    world.files.append("/log/a.log", numbered_lines(0, 50));
    world.look();
    world.files.append("/log/a.log.1", "");
    world.look();
    world.files.append("/log/a.log.1", numbered_lines(0, 50));
    if (in_time) world.look();
    world.files.truncate("/log/a.log");
    world.files.append("/log/a.log", numbered_lines(50, 60));
    world.look();
    world.pass(seconds(20));
    EXPECT_THAT(world.texts(), UnorderedElementsAreArray(numbered_texts(0, 60))) << in_time;
    EXPECT_EQ(world.follower().counters().copies, 1u);
  }
}

TEST(FileFollower, ACopyIsHeldBackThoughItsOriginalIsRenamedBeforeItsTruncationIsNoticed) {
  FollowedWorld world({"/log/a.log*"});
  world.files.append("/log/a.log", numbered_lines(0, 50));
  world.look();
  world.files.copy("/log/a.log", "/log/a.log.2");
  world.files.truncate("/log/a.log");
  world.files.append("/log/a.log", numbered_lines(50, 60));
  world.files.rename("/log/a.log", "/log/a.log.1");
  // Of the renaming nothing is known yet.
  world.follower().hint("/log/a.log.2", FileFollower::Hint::appeared);
  world.work();
  world.look();
  EXPECT_THAT(world.texts(), UnorderedElementsAreArray(numbered_texts(0, 60)));
}

TEST(FileFollower, ACopyIsRecognizedOnAnInodeThatIsUsedAgain) {
  FollowedWorld world({"/log/a.log*"});
  world.files.append("/log/a.log.1", numbered_lines(500, 550));
  world.files.append("/log/a.log", numbered_lines(0, 50));
  world.look();
  world.stop();
  const std::uint64_t inode = world.files.inode_of("/log/a.log.1");
  world.files.remove("/log/a.log.1");
  world.files.reuse_inode(inode);
  world.files.copy("/log/a.log", "/log/a.log.1");
  world.files.truncate("/log/a.log");
  world.look();
  world.pass(seconds(20));
  EXPECT_EQ(world.events.size(), 100u);
  EXPECT_EQ(world.distinct_ids().size(), 100u);
}

TEST(FileFollower, CopiesOfSeveralGenerationsAreToldApart) {
  FollowedWorld world({"/log/a.log*"});
  const std::string banner(300, '=');
  world.files.append("/log/a.log", banner + '\n' + numbered_lines(0, 50));
  world.look();
  world.stop();
  int next = 50;
  for (const char* copy : {"/log/a.log.2", "/log/a.log.1"}) {
    world.files.append("/log/a.log", numbered_lines(next, next + 30));
    world.files.copy("/log/a.log", copy);
    world.files.truncate("/log/a.log");
    world.files.append("/log/a.log", banner + '\n');
    next += 30;
  }
  world.files.append("/log/a.log", numbered_lines(next, next + 30));
  world.look();
  world.pass(seconds(10));
  world.look();
  std::vector<std::string> expected = numbered_texts(0, next + 30);
  for (int count = 0; count < 3; ++count) expected.push_back(banner);
  EXPECT_THAT(world.texts(), UnorderedElementsAreArray(expected));
}

TEST(FileFollower, ACopyIsOneOfTheContentThatWasTruncatedLast) {
  for (int before = 1; before < 4; ++before) {
    FollowedWorld world({"/log/*.log*"});
    for (int generation = 0; generation < before; ++generation) {
      world.files.append("/log/a.log", numbered_lines(0, 20) + fmt::format("generation {}\n", generation));
      world.look();
      world.files.truncate("/log/a.log");
      world.look();
    }
    world.files.append("/log/a.log", numbered_lines(0, 20));
    world.look();
    world.stop();
    world.files.append("/log/a.log", "in the copy\n");
    world.files.copy("/log/a.log", "/log/a.log.1");
    world.files.truncate("/log/a.log");
    world.look();
    EXPECT_EQ(world.texts().back(), "in the copy");
  }
}

TEST(FileFollower, AFileThatOnlyBeginsLikeAnotherIsAFileOfItsOwn) {
  FollowedWorld world({"/log/*.log"});
  const std::string banner(300, '=');
  world.files.append("/log/a.log", banner + '\n' + numbered_lines(0, 50));
  world.files.append("/log/b.log", banner + '\n' + numbered_lines(200, 220));
  world.look();
  EXPECT_EQ(world.events.size(), 72u);
  // Not even where the other one was truncated.
  world.files.truncate("/log/a.log");
  world.look();
  world.files.append("/log/c.log", banner + '\n' + numbered_lines(300, 350));
  world.look();
  EXPECT_EQ(world.events.size(), 123u);
  EXPECT_EQ(world.follower().counters().copies, 0u);
}

TEST(FileFollower, AFileThatEqualsAnotherIsReadOnceItIsClearThatItIsNoRotation) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", numbered_lines(0, 50));
  world.look();
  world.files.append("/log/b.log", numbered_lines(0, 50));
  world.look();
  EXPECT_EQ(world.events.size(), 50u);
  world.pass(seconds(6));
  EXPECT_EQ(world.events.size(), 100u);
  EXPECT_EQ(world.distinct_ids().size(), 100u);
}

TEST(FileFollower, OnceReadsToTheEndsAndEndsTheLastLines) {
  FollowedWorld world({"/log/*.log"});
  world.options.once = true;
  world.files.append("/log/a.log", "first\nlast");
  world.files.append("/log/b.log", "only");
  world.files.append("/log/c.log", numbered_lines(0, 50));
  world.files.append("/log/d.log", numbered_lines(0, 50));
  world.look();
  EXPECT_EQ(world.events.size(), 103u);
  EXPECT_THAT(world.texts(), Contains("last"));
  world.stop();
  world.look();
  EXPECT_EQ(world.events.size(), 103u);
}

TEST(FileFollower, FilesTakeTurns) {
  FollowedWorld world({"/log/*.log"});
  world.options.turn_bytes = 1000;
  world.options.lines.block_bytes = 500;
  world.files.append("/log/a.log", numbered_lines(0, 1000));
  world.files.append("/log/b.log", numbered_lines(5000, 5001));
  world.look();
  const std::vector<std::string> texts = world.texts();
  const auto small = std::ranges::find(texts, numbered(5000)) - texts.begin();
  EXPECT_LT(small, 40);
  EXPECT_EQ(texts.size(), 1001u);
}

TEST(FileFollower, NoMoreFilesAreOpenThanAllowed) {
  FollowedWorld world({"/log/*.log"});
  world.options.max_open_files = 10;
  for (int file = 0; file < 100; ++file) world.files.append(fmt::format("/log/{}.log", file), numbered_lines(0, 1));
  world.look();
  for (int file = 0; file < 100; ++file) world.files.append(fmt::format("/log/{}.log", file), numbered_lines(1, 2));
  world.look();
  EXPECT_EQ(world.events.size(), 200u);
  EXPECT_LE(world.files.most_open_files, 12u) << "one more to compare, and one to look at";
  world.pass(std::chrono::minutes(6));
  world.look();
  EXPECT_EQ(world.files.open_files, 0u);
}

TEST(FileFollower, ALongLineIsCutAndTheRestOfItDiscardedAcrossTurnsAndRuns) {
  FollowedWorld world({"/log/*.log"});
  world.options.lines = {64, 128};
  world.options.turn_bytes = 100;
  world.files.append("/log/a.log", "before\n" + std::string(500, 'x'));
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("before", std::string(128, 'x')));
  world.files.append("/log/a.log", std::string(500, 'x'));
  world.look();
  EXPECT_EQ(world.events.size(), 2u);
  world.stop();
  world.files.append("/log/a.log", std::string(10, 'x') + "\nafter\n");
  world.look();
  EXPECT_THAT(world.deduplicated(), ElementsAre("before", std::string(128, 'x'), "after"));
  EXPECT_EQ(world.follower().counters().cut_lines, 1u);
}

TEST(FileFollower, EmptyAndRefusedLinesMoveThePosition) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", "first\n\n\nrefuse me\n");
  world.look();
  world.stop();
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("first"));
  EXPECT_EQ(world.follower().counters().refused_lines, 0u);
}

TEST(FileFollower, AnEventThatIsLargerThanTheQueueIsRefusedAndTheOthersAreNot) {
  FollowedWorld world({"/log/*.log"});
  world.largest_event = 100;
  world.files.append("/log/a.log", "first\n" + std::string(200, 'x') + "\nlast\n");
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("first", "last"));
  EXPECT_EQ(world.follower().counters().refused_lines, 1u);
  world.stop();
  world.look();
  EXPECT_EQ(world.events.size(), 2u);
}

TEST(FileFollower, APublisherThatTakesNothingAnyMoreEndsTheReading) {
  FollowedWorld world({"/log/*.log"});
  world.refusal = make_error_code(errc::closed);
  world.files.append("/log/a.log", numbered_lines(0, 10));
  world.look();
  EXPECT_TRUE(world.follower().stopped());
  world.stop();
  world.refusal = {};
  world.look();
  EXPECT_THAT(world.texts(), ElementsAreArray(numbered_texts(0, 10)));
}

TEST(FileFollower, SymbolicLinksAreFollowedWhereThatIsWantedAndNothingIsReadTwice) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/elsewhere/a", numbered_lines(0, 3));
  world.files.append("/log/b.log", numbered_lines(3, 6));
  world.files.link("/log/a.log", "/elsewhere/a");
  world.files.link("/log/c.log", "/log/b.log");
  world.look();
  EXPECT_THAT(world.texts(), UnorderedElementsAreArray(numbered_texts(0, 6)));
  // What is behind a link changes without a hint.
  world.files.append("/elsewhere/a", numbered_lines(6, 7));
  ASSERT_TRUE(world.follower().wants_poll());
  world.pass(seconds(11));
  EXPECT_EQ(world.events.size(), 7u);

  FollowedWorld without({"/log/*.log"});
  without.inputs[0].links = false;
  without.files.append("/elsewhere/a", numbered_lines(0, 3));
  without.files.link("/log/a.log", "/elsewhere/a");
  without.look();
  EXPECT_THAT(without.texts(), IsEmpty());
}

TEST(FileFollower, LeavesAloneWhatIsExcludedOrOld) {
  FollowedWorld world({"/log/*.log"});
  world.inputs[0].excluded.emplace_back("b\\.log$");
  world.inputs[0].ignore_older = hours(1);
  world.files.append("/log/a.log", "old\n");
  world.files.append("/log/b.log", "excluded\n");
  world.pass(hours(2));
  world.look();
  EXPECT_THAT(world.texts(), IsEmpty());
}

TEST(FileFollower, WhatNoInputNamesAnyMoreIsRememberedAndNotRead) {
  FollowedWorld world({"/log/*.log"});
  world.files.append("/log/a.log", "first\n");
  world.look();
  world.stop();
  world.files.append("/log/a.log", "second\n");
  world.inputs[0].paths = {Glob("/other/*.log")};
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("first"));
  world.stop();
  world.inputs[0].paths = {Glob("/log/*.log")};
  world.look();
  EXPECT_THAT(world.texts(), ElementsAre("first", "second"));
}

TEST(FileFollower, PollsWhatNobodyGivesHintsOf) {
  FollowedWorld world({"/nfs/*.log"});
  world.files.append("/nfs/a.log", "first\n");
  world.follower().set_unwatched([](const std::string& directory) { return directory == "/nfs"; });
  world.look();
  world.files.append("/nfs/a.log", "second\n");
  world.pass(seconds(11));
  EXPECT_THAT(world.texts(), ElementsAre("first", "second"));
}

}  // namespace
}  // namespace windlass::input
