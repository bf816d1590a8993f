import Dispatch
import Foundation
import SmartDeal

/// SIGINT and SIGTERM ask the task to stop; a second one ends the process. Either way temporary
/// files are removed.
final class StopSignals {
    private let sources: [any DispatchSourceSignal]

    init(_ progress: TaskProgress) {
        // Writing over a limit on the size of files then fails with a reason.
        signal(SIGXFSZ, SIG_IGN)
        let queue = DispatchQueue(label: "smartdeal.signals")
        sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler {
                guard progress.isCancelled else {
                    progress.cancel()
                    return
                }
                AtomicFile.removeAllPending()
                exit(1)
            }
            source.resume()
            return source
        }
    }

    func end() {
        for source in sources { source.cancel() }
    }
}
