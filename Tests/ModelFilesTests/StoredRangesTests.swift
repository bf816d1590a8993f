import DenseMath
import Networks
import Testing

@testable import ModelFiles

@Suite("Ranges of values in ONNX files")
struct StoredRangesTests {
    private func network() throws -> Network {
        var network = try Zoo.network("lenet5", seed: 1)
        network.activationRanges = .init([
            "input": try #require(.init(-0.1, 2.5)), "x y\"": try #require(.init(0, 1e-30)),
        ])
        return network
    }

    @Test("what is stored is read back to the bit, and nothing of it is left in the metadata")
    func roundTrip() throws {
        let network = try network()
        let read = try ONNXModel(network: network).network()
        #expect(read.activationRanges == network.activationRanges)
        #expect(read.metadata == network.metadata)
        let other = try ONNXModel(network: network).storing(nil).network()
        #expect(other.activationRanges == nil)
    }

    @Test(
        "text that is no ranges is refused",
        arguments: [
            "", "{}", "{\"version\":1,\"values\":{\"a\":[1]}}",
            "{\"version\":1,\"values\":{\"a\":[2,1]}}", "{\"version\":2,\"values\":{}}",
            "{\"version\":1,\"values\":{\"a\":[1,1e99]}}",
        ])
    func hostile(text: String) throws {
        var network = try network()
        network.activationRanges = nil
        network.metadata[ONNXModel.rangesKey] = text
        let model = try ONNXModel(network: network)
        let error = #expect(throws: ModelFileError.self) { try model.network() }
        #expect(error?.code == .invalidGraph)
        #expect(error?.message.contains("smartdeal.activation_ranges") == true)
    }
}
