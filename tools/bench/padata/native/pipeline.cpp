/*
 * The native anchor: jobs through oneTBB's parallel_pipeline, serial in, parallel, serial out in order.
 *
 *   pipeline THREADS TOKENS   reads lines, answers each with a line:
 *     calibrate MICROSECONDS  -> steps of `burn` that take so much CPU of one thread
 *     cost STEPS              -> microseconds of CPU that they take
 *     run STEPS MILLISECONDS  -> jobs wall-ms cpu-ms, of jobs of so many steps (0: trivial ones), TOKENS in flight
 *
 * The same commands as programs/own-pipeline.ts, the same job and the same way to calibrate it as
 * threads/tasks.mjs.
 */
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/parallel_pipeline.h>

namespace {

using Clock = std::chrono::steady_clock;

std::uint32_t burn(std::uint32_t steps) {
    std::uint32_t state = 1;
    for (std::uint32_t i = 0; i < steps; i += 1) state = (state ^ i) * 1103515245u;
    return state;
}

/** What keeps results alive. */
volatile std::uint32_t sink;

double cpu_seconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec + time.tv_nsec * 1e-9;
}

/** CPU microseconds of this thread that one call takes: the least of several tries of 2 ms. */
double cost(double steps) {
    const int calls = std::max(1, static_cast<int>(std::lround(1.5e6 / steps)));
    double least = INFINITY;
    for (int attempt = 0; attempt < 10; attempt += 1) {
        const double start = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        std::uint32_t sum = 0;
        for (int call = 0; call < calls; call += 1) sum += burn(static_cast<std::uint32_t>(steps));
        const double end = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
        sink = sum;
        least = std::min(least, (end - start) * 1e6 / calls);
    }
    return least;
}

/** See `stepsFor` of threads/steps.mjs. */
std::uint32_t calibrate(double microseconds) {
    double steps = std::round(500 * microseconds);
    for (int turn = 0; turn < 8; turn += 1) {
        const double share = cost(steps) / microseconds;
        if (std::fabs(share - 1) < 0.003) break;
        steps = std::max(1.0, std::round(steps / share));
    }
    return static_cast<std::uint32_t>(steps);
}

/** Looks at the clock less often where jobs are short; see kit/deadline.ts. */
class Deadline {
public:
    explicit Deadline(double milliseconds)
        : start_(Clock::now()), last_(0), until_(milliseconds), between_(1), left_(0), over_(false) {}

    bool is_over() {
        if (over_ || left_ > 0) {
            left_ -= 1;
            return over_;
        }
        const double now = passed();
        between_ = now - last_ < 0.2 ? std::min(2 * between_, 256) : 1;
        left_ = between_ - 1;
        last_ = now;
        over_ = now >= until_;
        return over_;
    }

    double passed() const {
        return std::chrono::duration<double, std::milli>(Clock::now() - start_).count();
    }

private:
    const Clock::time_point start_;
    double last_;
    const double until_;
    int between_;
    int left_;
    bool over_;
};

/** Small enough to travel in a token without being allocated. */
struct Result {
    std::uint32_t number;
    std::uint32_t value;
};

void run(std::size_t tokens, std::uint32_t steps, double milliseconds) {
    namespace tbb = oneapi::tbb;
    std::uint32_t sent = 0;
    std::uint32_t received = 0;
    std::uint32_t sum = 0;
    const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    Deadline deadline(milliseconds);

    const auto source = [&](tbb::flow_control &flow) -> std::uint32_t {
        if (deadline.is_over()) {
            flow.stop();
            return 0;
        }
        return sent++;
    };
    const auto job = [steps](std::uint32_t number) -> Result {
        return {number, steps == 0 ? number + 1 : burn(steps)};
    };
    const auto target = [&](Result result) {
        if (result.number != received) {
            std::fprintf(stderr, "a result is out of order\n");
            std::exit(1);
        }
        received += 1;
        sum += result.value;
    };

    const auto serial = tbb::filter_mode::serial_in_order;
    tbb::parallel_pipeline(
        tokens, tbb::make_filter<void, std::uint32_t>(serial, source) &
                    tbb::make_filter<std::uint32_t, Result>(tbb::filter_mode::parallel, job) &
                    tbb::make_filter<Result, void>(serial, target));

    const double wall = deadline.passed();
    sink = sum;
    std::printf("%u %.6f %.6f\n", received, wall, (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu) * 1e3);
}

} // namespace

int main(int count, char **arguments) {
    if (count != 3) return 2;
    const std::size_t threads = std::strtoul(arguments[1], nullptr, 10);
    const std::size_t tokens = std::strtoul(arguments[2], nullptr, 10);
    oneapi::tbb::global_control limit(oneapi::tbb::global_control::max_allowed_parallelism, threads);
    char line[128];
    while (std::fgets(line, sizeof line, stdin) != nullptr) {
        unsigned steps;
        double number;
        if (std::sscanf(line, "calibrate %lf", &number) == 1)
            std::printf("%u\n", calibrate(number));
        else if (std::sscanf(line, "cost %u", &steps) == 1)
            std::printf("%.6f\n", cost(steps));
        else if (std::sscanf(line, "run %u %lf", &steps, &number) == 2)
            run(tokens, steps, number);
        else
            return 2;
        std::fflush(stdout);
    }
    return 0;
}
