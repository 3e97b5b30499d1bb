// zita-convolver with a C interface: one channel, no latency beyond the block.
#include <zita-convolver.h>

#include <algorithm>
#include <cstring>
#include <sched.h>

namespace {
struct Shim {
    Convproc convolver;
    int block;
};
}

extern "C" {
int zita_shim_major() { return zita_convolver_major_version(); }

int zita_shim_minor() { return zita_convolver_minor_version(); }

void *zita_shim_new(const float *impulse, int taps, int block) {
    auto shim = new Shim{{}, block};
    auto &convolver = shim->convolver;
    convolver.set_options(Convproc::OPT_FFTW_MEASURE);
    int smallest = std::max<int>(block, Convproc::MINPART);
    bool failed = convolver.configure(1, 1, taps, block, smallest, Convproc::MAXPART, 0.0f)
        || convolver.impdata_create(0, 0, 1, const_cast<float *>(impulse), 0, taps)
        || convolver.start_process(0, SCHED_OTHER);
    if (failed) {
        delete shim;
        return nullptr;
    }
    return shim;
}

void zita_shim_process(void *handle, float *out, const float *in) {
    auto shim = static_cast<Shim *>(handle);
    std::memcpy(shim->convolver.inpdata(0), in, shim->block * sizeof *in);
    shim->convolver.process(true);
    std::memcpy(out, shim->convolver.outdata(0), shim->block * sizeof *out);
}

void zita_shim_free(void *handle) {
    auto shim = static_cast<Shim *>(handle);
    shim->convolver.stop_process();
    shim->convolver.cleanup();
    delete shim;
}
}
